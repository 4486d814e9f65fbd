import { AsyncLocalStorage } from "node:async_hooks";

/** What is being done, and for whom: every log line written meanwhile carries it. */
export interface Trace {
  /** Made at the edge, or by the proxy before it; goes with every call between actors and to voice nodes. */
  readonly requestId: string;
  /** Once it is known. */
  userId?: string;
}

const current = new AsyncLocalStorage<Trace>();
/** What a proxy may call a request: long enough to be unique, and nothing that could break out of a log line or a header. */
const FOREIGN_ID = /^[\w-]{8,64}$/;

/** The request that the running code serves; undefined: none (a timer, an alarm). */
export function currentTrace(): Trace | undefined {
  return current.getStore();
}

/** The request's name as a field: of an error, for people to quote; of a command, for the log of whoever carries it out. */
export function quotable(): { requestId?: string } {
  const trace = current.getStore();
  return trace === undefined ? {} : { requestId: trace.requestId };
}

/** Runs something for a request. */
export function within<T>(trace: Trace | undefined, run: () => T): T {
  return trace === undefined ? run() : current.run(trace, run);
}

/** A request's name: what a trusted proxy called it, or a new one. */
export function requestIdOf(fromProxy: string | null | undefined): string {
  return typeof fromProxy === "string" && FOREIGN_ID.test(fromProxy) ? fromProxy : crypto.randomUUID();
}
