import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { LockHeldError, acquireLock } from "./lock.mjs";
import { identifyProcess, isRunning } from "./process-identity.mjs";

function lockPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "lescopains-lock-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "run", "lock");
}

/** The identity of a process that has ended. */
async function endedProcess(): Promise<{ pid: number; startedAt: string }> {
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"]);
  const identity = identifyProcess(child.pid ?? 0);
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
  if (identity === undefined) throw new Error("the process was gone too early");
  return identity;
}

test("[LK1] a lock is held until it is released", async () => {
  const path = lockPath();
  const first = await acquireLock(path, { wait: false });
  await expect(acquireLock(path, { wait: false })).rejects.toThrow(LockHeldError);
  await expect(acquireLock(path, { wait: false })).rejects.toMatchObject({ pid: process.pid });
  first.release();
  (await acquireLock(path, { wait: false })).release();
  expect(existsSync(path)).toBe(false);
});

test("[LK2] whoever waits gets it next, and is told who has it", async () => {
  const path = lockPath();
  const first = await acquireLock(path, { wait: false });
  const told: number[] = [];
  const second = acquireLock(path, { wait: true, onWait: (pid) => told.push(pid) });
  await vi.waitFor(() => expect(told).toEqual([process.pid]));
  first.release();
  (await second).release();
  expect(told).toEqual([process.pid]);
});

test("[LK3] the lock of a process that is gone is taken over, even if its number runs again", async () => {
  const path = lockPath();
  (await acquireLock(path, { wait: false })).release();
  writeFileSync(path, JSON.stringify(await endedProcess()));
  (await acquireLock(path, { wait: false })).release();
  writeFileSync(path, JSON.stringify({ pid: process.pid, startedAt: "another time" }));
  (await acquireLock(path, { wait: false })).release();
  writeFileSync(path, "");
  (await acquireLock(path, { wait: false })).release();
});

test("[LK4] of many that find a stale lock, one at a time has it", async () => {
  const path = lockPath();
  (await acquireLock(path, { wait: false })).release();
  writeFileSync(path, JSON.stringify(await endedProcess()));
  let holders = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const lock = await acquireLock(path, { wait: true });
      holders += 1;
      expect(holders).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      holders -= 1;
      lock.release();
    }),
  );
});

test("[LK5] a process that ended does not run", async () => {
  expect(isRunning(await endedProcess())).toBe(false);
  const self = identifyProcess(process.pid);
  expect(self !== undefined && isRunning(self)).toBe(true);
});
