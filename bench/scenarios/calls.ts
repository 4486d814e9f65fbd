import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { startStack, type Stack } from "../../tools/stack/stack.ts";
import * as callers from "../calls/callers.ts";
import { count, type Delays, measureDelays } from "../calls/delays.ts";
import { connectDirectly } from "../calls/direct.ts";
import { busiestWorkerUs, workerTimes } from "../calls/frame-workers.ts";
import { median } from "../measure/quantile.ts";
import type { Tools } from "./bench.ts";
import * as metrics from "./metrics.ts";

const joinsPerRound = 5;
const watchMs = 10_000;
/** Chromium asks the other end this often for how long a round trip takes. */
const rttEveryMs = 2_500;

function noteDelays({ record }: Tools, subject: "call" | "direct", { soundMs, pictureMs, fps }: Delays): void {
  if (soundMs.length === 0 || pictureMs.length === 0) throw new Error(`nothing was heard or seen: ${subject}`);
  record.add(subject, metrics.mouthToEar, "ms", median(soundMs));
  record.add(subject, metrics.glassToGlass, "ms", median(pictureMs));
  record.add(subject, metrics.picturesShown, "/s", fps);
}

/** The same microphone and camera over nothing but the browser's own connection. */
async function direct(tools: Tools, { speaker, guest, open }: callers.Callers): Promise<void> {
  await open(speaker);
  await open(guest);
  const end = await connectDirectly(speaker, guest);
  await callers.seesWell(guest);
  noteDelays(tools, "direct", await measureDelays(speaker, guest, watchMs));
  await end();
}

/** The guest comes in again and again, and is in at the end. */
async function joins({ record }: Tools, { guest, open }: callers.Callers): Promise<void> {
  const sounds: number[] = [];
  const pictures: number[] = [];
  for (let n = 0; n < joinsPerRound; n += 1) {
    if (n > 0) await callers.leave(guest);
    await open(guest);
    await callers.comeIn(guest);
    const [soundMs, pictureMs] = [await callers.firstSound(guest, 0), await callers.firstPicture(guest)];
    const { clickedMs } = await callers.noted(guest);
    sounds.push(soundMs - clickedMs);
    pictures.push(pictureMs - clickedMs);
  }
  record.add("call", metrics.firstSound, "ms", median(sounds));
  record.add("call", metrics.firstPicture, "ms", median(pictures));
}

/** Notes what the workers for frames use from now until the answer is called: the speaker's encrypts, the guest's decrypts. */
async function watchWorkers({ record }: Tools, speaker: Page, guest: Page): Promise<() => Promise<void>> {
  const beganMs = performance.now();
  const before = [await workerTimes(speaker), await workerTimes(guest)] as const;
  return async () => {
    const after = [await workerTimes(speaker), await workerTimes(guest)] as const;
    const percentOfUs = 0.1 / (performance.now() - beganMs);
    const [sending, receiving] = [
      busiestWorkerUs(before[0], after[0]) * percentOfUs,
      busiestWorkerUs(before[1], after[1]) * percentOfUs,
    ];
    record.add("call", metrics.frameWorkerCpu("sending"), "%", sending);
    record.add("call", metrics.frameWorkerCpu("receiving"), "%", receiving);
  };
}

/** How long things take on their way, while both are in. */
async function talk(tools: Tools, { speaker, guest }: callers.Callers): Promise<void> {
  const { record } = tools;
  await callers.enlarge(guest);
  const before = await count(guest);
  const rttsMs: number[] = [];
  const look = async (): Promise<void> => {
    for (const page of [speaker, guest]) rttsMs.push(...(await count(page)).rttsMs);
  };
  const looking = setInterval(() => void look(), rttEveryMs);
  const countWorkers = await watchWorkers(tools, speaker, guest);
  noteDelays(tools, "call", await measureDelays(speaker, guest, watchMs).finally(() => clearInterval(looking)));
  await countWorkers();
  await look();
  const after = await count(guest);
  const bufferMs = ((after.waitedS - before.waitedS) / (after.samples - before.samples)) * 1_000;
  const rttMs = median(rttsMs);
  record.add("call", metrics.callRtt, "ms", rttMs);
  // One way from the speaker to the node, and one from there to the guest.
  record.add("call", metrics.bufferAndPath, "ms", bufferMs + rttMs);
}

/** The node dies under the call. */
async function killed({ record }: Tools, stack: Stack, { guest }: callers.Callers): Promise<void> {
  if (stack.sfu === undefined) throw new Error("there is no voice on this machine");
  const before = await callers.connectionCount(guest);
  const killedMs = Date.now();
  await stack.sfu.kill9();
  record.add("call", metrics.rejoin, "ms", (await callers.firstSound(guest, before)) - killedMs);
}

async function round(tools: Tools, stack: Stack, both: callers.Callers): Promise<void> {
  const { speaker, guest, open } = both;
  await direct(tools, both);
  await open(speaker);
  await callers.comeIn(speaker);
  await callers.showCamera(speaker);
  await joins(tools, both);
  await talk(tools, both);
  await killed(tools, stack, both);
  await callers.leave(guest);
  await callers.leave(speaker);
}

/** Two people in a voice channel: the real client in two Chromiums, on the real stack, encrypted. */
export async function calls(tools: Tools): Promise<void> {
  const { rounds, log, signal } = tools;
  const dataDir = mkdtempSync(join(tmpdir(), "lescopains-bench-"));
  try {
    const stack = await startStack({ dataDir, env: { LOG_LEVEL: "warn" }, log, onCrash: log, signal });
    try {
      const both = await callers.makeCallers(stack.url);
      try {
        for (let n = 1; n <= rounds; n += 1) {
          log(`calls: round ${n} of ${rounds}`);
          signal.throwIfAborted();
          await round(tools, stack, both);
        }
      } finally {
        await both.close();
      }
    } finally {
      await stack.stop();
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}
