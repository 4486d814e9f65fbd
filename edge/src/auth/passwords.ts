import * as v from "valibot";
import type { Env } from "../platform/env.ts";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";

/** bcrypt's work factor: 2^12 rounds. A hash made with another one is replaced when its owner signs in. */
export const PASSWORD_COST = 12;
/** A bcrypt hash of a password that nobody has: checking against it takes as long as against a real one. */
const NOBODYS_HASH = "$2b$12$kOXbo7kJMxQRT23jIEUCxu7HXHLw0xCeWMjTW.3dlP5o3D4lV9XLW";
const BUSY_RETRY_MS = 3_000;

const BcryptHash = v.pipe(v.string(), v.regex(/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/));

/** What the passwords process is asked: with `hash` to compare, without it to make one. */
export const PasswordsRequest = v.object({
  password: v.pipe(v.string(), v.maxLength(1_024)),
  hash: v.optional(BcryptHash),
});
export const Hashed = v.object({ hash: v.string() });
export type Hashed = v.InferOutput<typeof Hashed>;
/** `outdated`: the hash has another work factor than new ones. */
export const Compared = v.object({ matches: v.boolean(), outdated: v.boolean() });
export type Compared = v.InferOutput<typeof Compared>;

type Passwords = Pick<Env, "PASSWORDS">;

async function ask<Answer>(
  { PASSWORDS }: Passwords,
  body: v.InferInput<typeof PasswordsRequest>,
  answer: v.GenericSchema<unknown, Answer>,
): Promise<Outcome<Answer>> {
  const busy = refuse("unavailable", "too many people sign in right now: try again", { retryAfterMs: BUSY_RETRY_MS });
  let response: Response;
  try {
    response = await PASSWORDS.fetch("http://passwords/", { method: "POST", body: JSON.stringify(body) });
  } catch {
    // The process beside is starting or restarting; what it failed of is in its own log.
    return busy;
  }
  if (response.status === 503) {
    await response.body?.cancel();
    return busy;
  }
  if (!response.ok) throw new Error(`the passwords process answered ${response.status}`);
  return ok(v.parse(answer, await response.json()));
}

/** The bcrypt hash of a new password. Refuses with `unavailable` when too many wait. */
export async function hashPassword(env: Passwords, password: string): Promise<Outcome<string>> {
  const answer = await ask(env, { password }, Hashed);
  return answer.ok ? ok(answer.value.hash) : answer;
}

/**
 * Compares a password with a stored hash. With no hash, or one that is not bcrypt's (an account without a password), it takes the same time and
 * never matches. Refuses with `unavailable`.
 */
export async function verifyPassword(
  env: Passwords,
  password: string,
  storedHash: string | undefined,
): Promise<Outcome<Compared>> {
  const hash = v.is(BcryptHash, storedHash) ? storedHash : undefined;
  const answer = await ask(env, { password, hash: hash ?? NOBODYS_HASH }, Compared);
  return answer.ok && hash === undefined ? ok({ matches: false, outdated: false }) : answer;
}
