import { vi } from "vitest";

/** Waits until `check` no longer throws, and answers what it answers. The time limit is for tests that have failed. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 30_000, interval: 20 });
}
