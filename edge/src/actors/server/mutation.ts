import type { ErrorBody } from "@lescopains/protocol/errors";
import type { Database } from "../../db/port.ts";
import { type Outcome, ok, type Refusal, refuse } from "@lescopains/protocol/outcome";
import type { Effects, ServerCore } from "./core.ts";

/** The server changed behind the actor's back: nothing was done, load it and decide again. */
export const STALE = "stale";

/** What a change answers, and what must be told before. */
export interface Done<T> {
  readonly answer: T;
  readonly effects?: Effects;
}

/**
 * One change of a server: decides on `core`, runs one statement, applies it to `core`. Only one runs at a time, so `core`
 * is after the statement what it was before.
 */
export type Mutation<T> = (core: ServerCore, db: Database) => Promise<Outcome<Done<T>> | typeof STALE>;

export function done(): Outcome<Done<undefined>>;
export function done<T>(answer: T, effects?: Effects): Outcome<Done<T>>;
export function done<T>(answer?: T, effects?: Effects): Outcome<Done<T | undefined>> {
  return ok(effects === undefined ? { answer } : { answer, effects });
}

export function refused(error: ErrorBody): Refusal {
  return { ok: false, error };
}

export const NO_SERVER = refuse("not_found", "no such server");
