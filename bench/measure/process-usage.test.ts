import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { cpuUs, threads } from "./process-usage.ts";

const busyMs = 300;

test.runIf(process.platform === "linux")("[PU1] what a thread uses is found as its own", async () => {
  const code = `const endMs = Date.now() + ${busyMs}; while (Date.now() < endMs); require("node:worker_threads").parentPort.on("message", () => {});`;
  const before = new Map(threads(process.pid).map(({ tid, usedUs }) => [tid, usedUs]));
  const worker = new Worker(code, { eval: true });
  onTestFinished(() => void worker.terminate());
  await expect
    .poll(() => {
      const used = threads(process.pid)
        .filter(({ tid }) => !before.has(tid))
        .map(({ usedUs }) => usedUs);
      return Math.max(0, ...used);
    })
    .toBeGreaterThan(20_000);
  const all = threads(process.pid);
  expect(all.find(({ tid }) => tid === process.pid)?.name).toBeTruthy();
  const together = all.reduce((sum, { usedUs }) => sum + usedUs, 0);
  expect(together).toBeLessThanOrEqual(cpuUs(process.pid));
});
