import { setTimeout as sleep } from "node:timers/promises";

/** Long enough for a machine that is busy with other things; a condition that holds ends the wait at once. */
const PATIENCE_MS = 20_000;

/**
 * Waits until `condition` answers something truthy, and answers that. An exception counts as "not yet".
 * After `timeoutMs` it throws, with `what` was waited for and the last exception as cause.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs: number = PATIENCE_MS,
): Promise<Exclude<T, false | null | undefined | 0 | "">> {
  let cause: unknown;
  for (const deadlineMs = performance.now() + timeoutMs; ; await sleep(10)) {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, false | null | undefined | 0 | "">;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadlineMs) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause });
  }
}
