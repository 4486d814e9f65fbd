import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { acquireLock } from "../../tools/bootstrap/lock.mjs";
import { OperatorError } from "../../tools/operator-error.ts";
import { cacheFolder, runs, workerName } from "./cache.ts";
import { fromSource, prebuilt } from "./ways.ts";
import type { Way } from "./ways.ts";

export interface WorkerOptions {
  /** Progress, a line at a time. */
  readonly log?: (line: string) => void;
  /** Gives it up; what was started is ended. */
  readonly signal?: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
  readonly ways?: readonly Way[];
}

const attemptPrefix = "attempt-";

/**
 * The path of a mediasoup worker that runs on this machine: MEDIASOUP_WORKER_BIN, the cached one, upstream's prebuilt, or one that is built
 * now. Two processes at once: the second waits, and finds it done. An attempt that was cut short, even by a power failure, leaves nothing
 * that could be taken for a worker: one is put in place by a rename, after it has run.
 */
export async function findWorker(options: WorkerOptions = {}): Promise<string> {
  const { log = () => undefined, signal = new AbortController().signal, env = process.env } = options;
  const given = env["MEDIASOUP_WORKER_BIN"];
  if (given !== undefined && given !== "") {
    if (runs(given)) return given;
    throw new OperatorError(
      `MEDIASOUP_WORKER_BIN=${given} is no mediasoup worker that runs here: correct it, or leave it out`,
    );
  }
  const folder = cacheFolder(env);
  const kept = (): string | undefined => {
    const worker = join(folder, workerName());
    return existsSync(worker) && runs(worker) ? worker : undefined;
  };
  const found = kept();
  if (found !== undefined) return found;
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new OperatorError(
      `${folder} cannot be made: correct its owner, or choose another place with XDG_CACHE_HOME`,
      {
        cause,
      },
    );
  }
  const lock = await acquireLock(join(folder, "lock"), {
    wait: true,
    onWait: (pid) => log(`Waiting for process ${pid}, which makes the mediasoup worker …`),
  });
  try {
    signal.throwIfAborted();
    return kept() ?? (await make(folder, options.ways ?? [prebuilt, fromSource], log, signal));
  } finally {
    lock.release();
  }
}

async function make(
  folder: string,
  ways: readonly Way[],
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  for (const name of readdirSync(folder)) {
    if (name.startsWith(attemptPrefix)) rmSync(join(folder, name), { recursive: true, force: true });
  }
  const reasons: string[] = [];
  for (const way of ways) {
    const attempt = mkdtempSync(join(folder, attemptPrefix));
    const binary = join(attempt, "mediasoup-worker.exe");
    try {
      const refusal = await way({ folder: attempt, binary, log, signal });
      if (refusal === undefined && runs(binary)) {
        const worker = join(folder, workerName());
        renameSync(binary, worker);
        return worker;
      }
      reasons.push(refusal?.closed ?? "what was made does not run here");
    } finally {
      rmSync(attempt, { recursive: true, force: true });
    }
  }
  throw new OperatorError(
    `Voice needs a mediasoup worker and no way to one is open: ${reasons.join("; ")}. Or set MEDIASOUP_WORKER_BIN to one of your own`,
  );
}
