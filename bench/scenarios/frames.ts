import { startChromiumWorker } from "../encryption/chromium.ts";
import type { FrameSamples } from "../encryption/frames.ts";
import { quantile } from "../measure/quantile.ts";
import type { Tools } from "./bench.ts";
import * as metrics from "./metrics.ts";

const subject = "frames in Chromium";

/** What encrypting and decrypting a call costs the worker that does it. */
export async function frames({ record, rounds, log, signal }: Tools): Promise<void> {
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
