import { startChromiumWorker } from "../encryption/chromium.ts";
import { enginePair } from "../encryption/engine.ts";
import { libsignalPair } from "../encryption/libsignal.ts";
import { measure } from "../encryption/measure.ts";
import type { Samples } from "../encryption/measure.ts";
import { quantile } from "../measure/quantile.ts";
import type { SubjectName } from "../report/measurements.ts";
import type { Tools } from "./bench.ts";
import * as metrics from "./metrics.ts";

const quantiles = [0.5, 0.99];

function record({ record: measurements }: Tools, subject: SubjectName, samples: Samples): void {
  const rows = [
    [metrics.sessionBegun, samples.begin],
    [metrics.sessionAnswered, samples.answer],
    [metrics.encrypted, samples.encrypt],
    [metrics.decrypted, samples.decrypt],
  ] as const;
  for (const [metric, numbers] of rows) {
    for (const part of quantiles) measurements.add(subject, metric(`p${part * 100}`), "ms", quantile(numbers, part));
  }
  for (const ms of samples.waiting) measurements.add(subject, metrics.waitingRead, "ms", ms);
}

/** The encryption engine in Node and in Chromium, beside the official native library, in turns. */
export async function e2ee(tools: Tools): Promise<void> {
  const chromium = await startChromiumWorker<Samples>("browser-worker.ts");
  try {
    for (let round = 1; round <= tools.rounds; round += 1) {
      tools.log(`encryption: round ${round} of ${tools.rounds}`);
      tools.signal.throwIfAborted();
      record(tools, "libsignal", await measure(libsignalPair));
      record(tools, "engine", await measure(enginePair));
      record(tools, "engine in Chromium", await chromium.measure());
    }
  } finally {
    await chromium.stop();
  }
}
