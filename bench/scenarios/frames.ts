import { startChromiumWorker } from "../encryption/chromium.ts";
import type { FrameSamples } from "../encryption/frames.ts";
import { measureLive } from "../encryption/live.ts";
import { quantile } from "../measure/quantile.ts";
import type { Tools } from "./bench.ts";
import * as metrics from "./metrics.ts";

const subject = "frames in Chromium";
const untouched = "frames handed back";

/** What encrypting and decrypting a call costs the workers that do it: the cipher alone, and with the browser's handing over of frames. */
export async function frames(tools: Tools): Promise<void> {
  await cipher(tools);
  await live(tools);
}

async function live({ record, rounds, log, signal }: Tools): Promise<void> {
  for (let round = 1; round <= rounds; round += 1) {
    log(`frames in a connection: round ${round} of ${rounds}`);
    signal.throwIfAborted();
    const { share, pictures } = await measureLive(
      round % 2 === 1 ? ["encrypted", "handed back"] : ["handed back", "encrypted"],
    );
    record.add(subject, metrics.liveShare, "%", share.encrypted);
    record.add(untouched, metrics.liveShare, "%", share["handed back"]);
    record.add(subject, metrics.liveAdded, "%", share.encrypted - share["handed back"]);
    record.add(subject, metrics.livePictures, "/s", pictures.encrypted);
    record.add(untouched, metrics.livePictures, "/s", pictures["handed back"]);
  }
}

async function cipher({ record, rounds, log, signal }: Tools): Promise<void> {
  const chromium = await startChromiumWorker<FrameSamples>("frames-worker.ts");
  try {
    for (let round = 1; round <= rounds; round += 1) {
      log(`frames: round ${round} of ${rounds}`);
      signal.throwIfAborted();
      const { sealShare, openShare, seal, open } = await chromium.measure();
      record.add(subject, metrics.mediaShare("out"), "%", sealShare);
      record.add(subject, metrics.mediaShare("in"), "%", openShare);
      record.add(subject, metrics.mediaShare("each way"), "%", sealShare + openShare);
      for (const [part, of] of [
        ["p50", 0.5],
        ["p99", 0.99],
      ] as const) {
        record.add(subject, metrics.frameTime("encrypted", part), "µs", quantile(seal, of) * 1_000);
        record.add(subject, metrics.frameTime("decrypted", part), "µs", quantile(open, of) * 1_000);
      }
    }
  } finally {
    await chromium.stop();
  }
}
