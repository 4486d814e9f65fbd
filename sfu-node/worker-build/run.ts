import { spawn } from "node:child_process";

export interface Run {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Each line it prints, on either output. */
  readonly onLine?: (line: string) => void;
  /** Ends it and all that it started. */
  readonly signal: AbortSignal;
}

export interface Result {
  readonly ok: boolean;
  /** The end of what it printed. */
  readonly tail: string;
}

const tailLength = 4_000;

/** Runs a program to its end. Rejects with the signal's reason when that is aborted. */
export async function run({ command, args, cwd, env, onLine, signal }: Run): Promise<Result> {
  signal.throwIfAborted();
  const child = spawn(command, [...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: env ?? process.env,
    // A process group of its own, so that a compiler does not outlive the build that is given up.
    detached: process.platform !== "win32",
  });
  const stop = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGTERM");
    } catch {
      // It has ended by itself.
    }
  };
  signal.addEventListener("abort", stop, { once: true });
  let tail = "";
  const take = (chunk: Buffer): void => {
    const text = chunk.toString("utf8");
    tail = (tail + text).slice(-tailLength);
    for (const line of text.split("\n")) if (line !== "") onLine?.(line);
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const code = await new Promise<number | null>((resolve) => {
    child.once("error", (error) => {
      tail += error.message;
      resolve(null);
    });
    child.once("close", resolve);
  });
  signal.removeEventListener("abort", stop);
  signal.throwIfAborted();
  return { ok: code === 0, tail: tail.trim() };
}
