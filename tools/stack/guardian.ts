/**
 * A small process that outlives its parent by a moment: when the parent dies, however it dies, its end of the pipe closes,
 * and the guardian ends the processes that the parent had started and not yet stopped.
 *
 * stdin, a line each: `watch <pid> <signal>` and `forget <pid>`.
 */
import { createInterface } from "node:readline";
import { identifyProcess } from "../bootstrap/process-identity.mjs";
import type { ProcessIdentity } from "../bootstrap/process-identity.mjs";
import { stopProcess } from "./processes.ts";

/** PostgreSQL writes a checkpoint when it stops; after this it is killed and recovers at its next start. */
const graceMs = 20_000;

const watched = new Map<number, { identity: ProcessIdentity; signal: NodeJS.Signals }>();

function handleLine(line: string): void {
  const [verb, pidText, signal] = line.split(" ");
  const pid = Number(pidText);
  if (verb === "forget") watched.delete(pid);
  if (verb !== "watch" || (signal !== "SIGINT" && signal !== "SIGTERM" && signal !== "SIGKILL")) return;
  const identity = identifyProcess(pid);
  if (identity !== undefined) watched.set(pid, { identity, signal });
}

// The terminal's Ctrl-C and a service manager's SIGTERM reach this process too: the parent decides what they mean.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
process.on("SIGHUP", () => undefined);

createInterface({ input: process.stdin })
  .on("line", handleLine)
  .on("close", () => {
    void Promise.all([...watched.values()].map(({ identity, signal }) => stopProcess(identity, signal, graceMs)));
  });
