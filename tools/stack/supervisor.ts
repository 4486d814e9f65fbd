import { spawn } from "node:child_process";
import { closeSync, readFileSync, writeFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { identifyProcess, isProcessIdentity, isRunning } from "../bootstrap/process-identity.mjs";
import type { ProcessIdentity } from "../bootstrap/process-identity.mjs";
import { OperatorError } from "../operator-error.ts";
import { startGuard } from "./guard.ts";
import { openLog } from "./logs.ts";
import { signalProcess, stopProcess } from "./processes.ts";

export interface ChildSpec {
  /** As the person at the keyboard knows it: `PostgreSQL`, `workerd`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** What asks it to end in good order. */
  readonly stopSignal: "SIGINT" | "SIGTERM";
  /** After this it is killed. */
  readonly stopGraceMs: number;
  readonly account?: { readonly uid: number; readonly gid: number };
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  /** What it writes to its file descriptor 3, until it ends. */
  readonly control: Readable;
  /** Resolves when it has ended, for whatever reason. */
  readonly exited: Promise<ChildExit>;
  isRunning(): boolean;
  /** It is up: from here on its end is a crash, unless it was asked for. */
  markReady(): void;
  stop(): Promise<void>;
  /** SIGKILL, as a crash would end it; not reported as one. */
  kill9(): Promise<void>;
}

/** Starts the processes of a stack, and sees to it that none of them outlives it. */
export interface Supervisor {
  spawn(spec: ChildSpec): Promise<Child>;
  close(): void;
}

export interface SupervisorOptions {
  /** Where the running processes are written down, for the start after a crash. */
  readonly recordFile: string;
  /** A process that was up ended, and nobody had stopped it. */
  readonly onCrash: (name: string, exit: ChildExit) => void;
}

interface ChildRecord extends ProcessIdentity {
  readonly name: string;
  readonly stopSignal: "SIGINT" | "SIGTERM";
}

function isChildRecord(value: unknown): value is ChildRecord {
  return (
    isProcessIdentity(value) &&
    "name" in value &&
    typeof value.name === "string" &&
    "stopSignal" in value &&
    (value.stopSignal === "SIGINT" || value.stopSignal === "SIGTERM")
  );
}

function readRecords(recordFile: string): ChildRecord[] {
  try {
    const records: unknown = JSON.parse(readFileSync(recordFile, "utf8"));
    return Array.isArray(records) ? records.filter(isChildRecord) : [];
  } catch {
    return []; // None yet, or cut off by a power failure, after which nothing runs any more.
  }
}

/**
 * Ends what an earlier start of the same folder left running, which happens only when it and its guardian were both killed.
 * Call it with the folder's lock held.
 */
export async function stopOrphans(recordFile: string, log: (line: string) => void): Promise<void> {
  const orphans = readRecords(recordFile).filter((record) => isRunning(record));
  for (const orphan of orphans) log(`Stopping ${orphan.name} (process ${orphan.pid}), left over from an earlier start`);
  await Promise.all(orphans.map((orphan) => stopProcess(orphan, orphan.stopSignal, 20_000)));
}

/** How a process ended, in words. */
export function describeExit({ code, signal }: ChildExit): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

export function startSupervisor({ recordFile, onCrash }: SupervisorOptions): Supervisor {
  const guard = startGuard();
  const records = new Map<number, ChildRecord>();
  const writeRecords = (): void => writeFileSync(recordFile, JSON.stringify([...records.values()]), { mode: 0o600 });
  writeRecords();

  return {
    async spawn(spec) {
      const log = openLog(spec.logFile);
      const subprocess = spawn(spec.command, [...spec.args], {
        stdio: ["ignore", log, log, "pipe"],
        env: { ...spec.env },
        // A session of its own: Ctrl-C reaches only the starter, which then stops things in their order.
        detached: process.platform !== "win32",
        windowsHide: true,
        ...spec.account,
      });
      closeSync(log);
      await new Promise<void>((resolve, reject) => {
        subprocess.once("spawn", resolve);
        subprocess.once("error", (cause) => {
          reject(new OperatorError(`${spec.name} cannot be started: ${cause.message}`, { cause }));
        });
      });
      const pid = subprocess.pid;
      const control = subprocess.stdio[3];
      if (pid === undefined || control === null || control === undefined || !("read" in control)) {
        throw new Error(`${spec.name} was started without a process id or control pipe`);
      }
      control.on("error", () => undefined);
      guard.watch(pid, spec.stopSignal);
      const identity = identifyProcess(pid);
      if (identity !== undefined) {
        records.set(pid, { ...identity, name: spec.name, stopSignal: spec.stopSignal });
        writeRecords();
      }

      let expected = true;
      let running = true;
      const exited = new Promise<ChildExit>((resolve) => {
        subprocess.once("exit", (code, signal) => {
          running = false;
          guard.forget(pid);
          records.delete(pid);
          writeRecords();
          resolve({ code, signal });
          if (!expected) onCrash(spec.name, { code, signal });
        });
      });
      const end = async (signal: NodeJS.Signals): Promise<void> => {
        expected = true;
        if (!running) return;
        signalProcess(pid, signal);
        const kill = setTimeout(() => signalProcess(pid, "SIGKILL"), spec.stopGraceMs);
        await exited;
        clearTimeout(kill);
      };
      return {
        pid,
        control,
        exited,
        isRunning: () => running,
        markReady: () => {
          expected = false;
        },
        stop: () => end(spec.stopSignal),
        kill9: () => end("SIGKILL"),
      };
    },
    close: () => guard.close(),
  };
}
