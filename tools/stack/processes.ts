import { setTimeout as sleep } from "node:timers/promises";
import { isRunning } from "../bootstrap/process-identity.mjs";
import type { ProcessIdentity } from "../bootstrap/process-identity.mjs";

const pollMs = 20;

/** Sends a signal; a process that is already gone is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

async function ended(identity: ProcessIdentity, withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline;) {
    if (!isRunning(identity)) return true;
    await sleep(pollMs);
  }
  return !isRunning(identity);
}

/** Asks a process to end with `signal`, and after `graceMs` ends it. Resolves when it is gone. */
export async function stopProcess(identity: ProcessIdentity, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  if (!isRunning(identity)) return;
  signalProcess(identity.pid, signal);
  if (await ended(identity, graceMs)) return;
  signalProcess(identity.pid, "SIGKILL");
  await ended(identity, graceMs);
}
