import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { isProcessIdentity, isRunning } from "../../tools/bootstrap/process-identity.mjs";
import type { ProcessIdentity } from "../../tools/bootstrap/process-identity.mjs";
import { rootFolder } from "../../tools/stack/root.ts";
import { stopProcess } from "../../tools/stack/processes.ts";

/** A folder of the test's own; it is removed when the test is over, and what still runs on it is ended. */
export function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lescopains-tools-"));
  onTestFinished(async () => {
    await Promise.all(processesOf(folder).map((identity) => stopProcess(identity, "SIGKILL", 5_000)));
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** The processes that a stack on this folder has written down and that run now, by name. */
export function processesOf(folder: string): (ProcessIdentity & { name: string })[] {
  let records: unknown;
  try {
    records = JSON.parse(readFileSync(join(folder, "run", "processes.json"), "utf8"));
  } catch {
    return [];
  }
  if (!Array.isArray(records)) return [];
  return records.flatMap((record: unknown) =>
    isProcessIdentity(record) && "name" in record && typeof record.name === "string" && isRunning(record)
      ? [{ pid: record.pid, startedAt: record.startedAt, name: record.name }]
      : [],
  );
}

export interface StartProcess {
  readonly pid: number;
  /** What it printed, both streams, so far. */
  output(): string;
  /** Resolves with the address once it says that it is ready; rejects with its output if it ends before. */
  readonly ready: Promise<string>;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
}

/** What stands between the test and tools/start.ts. */
export type Through = "nothing" | "run.mjs" | "npm";

const commands: Readonly<Record<Through, readonly [string, ...string[]]>> = {
  nothing: [process.execPath, "tools/start.ts"],
  "run.mjs": [process.execPath, "tools/run.mjs", "start"],
  npm: ["npm", "start"],
};

/** `npm start` on a free port, unless `env` says otherwise. */
export function startProcess(env: Readonly<Record<string, string>>, through: Through = "nothing"): StartProcess {
  const [command, ...args] = commands[through];
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST") && name !== "NODE_OPTIONS"),
  );
  const child = spawn(command, args, {
    cwd: rootFolder,
    env: { ...inherited, PORT: "0", SFU_PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} cannot be started`);
  let text = "";
  const ready = Promise.withResolvers<string>();
  ready.promise.catch(() => undefined);
  const take = (chunk: Buffer): void => {
    text += chunk.toString("utf8");
    const url = /^LesCopains is ready at (http:\S+)$/m.exec(text)?.[1];
    if (url !== undefined) ready.resolve(url);
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("close", (code, signal) => {
      ready.reject(new Error(`it ended before it was ready:\n${text}`));
      resolve({ code, signal });
    });
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return { pid, output: () => text, ready: ready.promise, exited, kill: (signal) => child.kill(signal) };
}
