import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { identifyProcess, isProcessIdentity, isRunning } from "./process-identity.mjs";

/** How often a waiting process looks again, and how long a half-written lock is given to become whole. */
const pollMs = 100;

/** Another running process holds the lock. */
export class LockHeldError extends Error {
  /** @param {string} path @param {number} pid */
  constructor(path, pid) {
    super(`${path} is held by process ${pid}`);
    this.name = "LockHeldError";
    this.pid = pid;
  }
}

/** @param {string} path */
function readLock(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** @param {string} text */
function holderOf(text) {
  try {
    const value = JSON.parse(text);
    return isProcessIdentity(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Takes away a lock whose holder is gone. Two processes may try this at once: the one that finds it has moved a fresh lock
 * puts that back.
 * @param {string} path @param {string} staleText
 */
function removeStale(path, staleText) {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch {
    return; // Someone else was faster.
  }
  if (readLock(aside) !== staleText) {
    try {
      linkSync(aside, path);
    } catch {
      // A third process already holds it.
    }
  }
  rmSync(aside, { force: true });
}

/**
 * Takes the lock file at `path` for this process, until `release` or the end of the process: a lock whose holder died is
 * taken over.
 * @param {string} path
 * @param {{ wait: boolean, onWait?: (pid: number) => void }} options `wait`: until it is free, or throw LockHeldError at once
 * @returns {Promise<{ release: () => void }>}
 */
export async function acquireLock(path, { wait, onWait }) {
  const text = JSON.stringify(identifyProcess(process.pid));
  mkdirSync(dirname(path), { recursive: true });
  for (let round = 0, halfWritten = 0; ; round += 1) {
    try {
      writeFileSync(path, text, { flag: "wx", mode: 0o644 });
      return { release: () => readLock(path) === text && rmSync(path, { force: true }) };
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const found = readLock(path);
    if (found === undefined) continue;
    const holder = holderOf(found);
    if (holder === undefined && halfWritten < 5) {
      halfWritten += 1;
      await sleep(pollMs);
      continue;
    }
    if (holder === undefined || !isRunning(holder)) {
      removeStale(path, found);
      continue;
    }
    if (!wait) throw new LockHeldError(path, holder.pid);
    if (round === 0) onWait?.(holder.pid);
    await sleep(pollMs);
  }
}
