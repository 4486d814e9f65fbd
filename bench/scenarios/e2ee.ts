import { setImmediate } from "node:timers/promises";
import { nobleSha512 } from "@lescopains/e2ee/safety-number/sha512";
import { engineAttachments, nodeAttachments, type Throughput } from "../encryption/attachments.ts";
import { startChromiumWorker } from "../encryption/chromium.ts";
import { enginePair } from "../encryption/engine.ts";
import { engineGroups, type GroupSamples, makeAccounts, measureGroups } from "../encryption/groups.ts";
import { libsignalGroups } from "../encryption/libsignal-groups.ts";
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

function recordGroups({ record: measurements }: Tools, subject: SubjectName, samples: GroupSamples): void {
  const rows = [
    [metrics.groupEncrypted, samples.encrypt],
    [metrics.groupDecrypted, samples.decrypt],
  ] as const;
  for (const [metric, numbers] of rows) {
    for (const part of quantiles) measurements.add(subject, metric(`p${part * 100}`), "ms", quantile(numbers, part));
  }
  measurements.add(subject, metrics.safetyNumber, "ms", quantile(samples.safetyNumber, 0.5));
}

function recordFiles({ record: measurements }: Tools, subject: SubjectName, { seal, open }: Throughput): void {
  measurements.add(subject, metrics.fileSealed, "MB/s", seal);
  measurements.add(subject, metrics.fileOpened, "MB/s", open);
}

/** The encryption engine in Node and in Chromium, beside the official native library and Node's own cipher, in turns. */
export async function e2ee(tools: Tools): Promise<void> {
  const sessions = await startChromiumWorker<Samples>("browser-worker.ts");
  const groups = await startChromiumWorker<GroupSamples>("groups-worker.ts");
  const inNode = await engineGroups(nobleSha512(() => setImmediate()));
  const accounts = await makeAccounts();
  try {
    for (let round = 1; round <= tools.rounds; round += 1) {
      tools.log(`encryption: round ${round} of ${tools.rounds}`);
      tools.signal.throwIfAborted();
      record(tools, "libsignal", await measure(libsignalPair));
      record(tools, "engine", await measure(enginePair));
      record(tools, "engine in Chromium", await sessions.measure());
      recordGroups(tools, "libsignal", await measureGroups(libsignalGroups, accounts));
      recordGroups(tools, "engine", await measureGroups(inNode, accounts));
      recordGroups(tools, "engine in Chromium", await groups.measure());
      recordFiles(tools, "node:crypto", await nodeAttachments());
      recordFiles(tools, "engine", await engineAttachments());
    }
  } finally {
    await sessions.stop();
    await groups.stop();
  }
}
