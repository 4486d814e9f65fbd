import type { ErrorBody, ErrorCode } from "./errors.ts";

/** What an operation answers: a value, or a refusal that was foreseen. Bugs and outages are exceptions. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | Refusal;

export interface Refusal {
  readonly ok: false;
  readonly error: ErrorBody;
}

export function ok(): Outcome<undefined>;
export function ok<T>(value: T): Outcome<T>;
export function ok<T>(value?: T): Outcome<T | undefined> {
  return { ok: true, value };
}

/** A foreseen "no", with what the caller may do about it. */
export function refuse(
  code: ErrorCode,
  message: string,
  more: Pick<ErrorBody, "details" | "retryAfterMs"> = {},
): Refusal {
  return { ok: false, error: { code, message, ...more } };
}
