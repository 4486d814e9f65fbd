import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";

/** What is being done, and for whom: every log line written meanwhile carries it. */
export type Trace = Readonly<Record<string, string>> & { readonly requestId: string };

const current = new AsyncLocalStorage<Trace>();
/** What the edge or a proxy may call a request: nothing that could break out of a log line or a header. */
const FOREIGN_ID = /^[\w-]{8,64}$/;

/** The request that the running code serves, if there is one. */
export function currentTrace(): Trace | undefined {
  return current.getStore();
}

/** Runs something for a request. */
export function within<T>(trace: Trace, run: () => T): T {
  return current.run(trace, run);
}

/** A request's name: what somebody trusted called it, or a new one. */
export function requestIdOf(given: unknown): string {
  return typeof given === "string" && FOREIGN_ID.test(given) ? given : randomUUID();
}
