import { OperatorError } from "./operator-error.ts";

/**
 * Runs a command's `main` and ends the process with the code it answers. An OperatorError is shown as its one line; anything
 * else is a bug and is shown whole. `stop` is aborted by Ctrl-C, SIGTERM, SIGHUP, or the death of the process that started this
 * one; later signals change nothing, for stopping has its own time limits.
 */
export async function runCommand(main: (stop: AbortSignal) => Promise<number>): Promise<never> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
  process.on("disconnect", () => stop.abort());
  try {
    process.exit(await main(stop.signal));
  } catch (error) {
    // A command that was asked to stop, and did, has not failed.
    if (stop.signal.aborted && error === stop.signal.reason) process.exit(0);
    console.error(error instanceof OperatorError ? error.message : error);
    process.exit(1);
  }
}

/** Resolves when a signal is (or was) aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
