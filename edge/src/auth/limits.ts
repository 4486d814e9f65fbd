import type { UserId } from "@lescopains/protocol/ids";
import { type Bucket, giveBackToken, takeToken } from "../db/limits.ts";
import type { Database } from "../db/port.ts";
import { type Env, settings } from "../platform/env.ts";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";
import { macKey } from "./secrets.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * Buckets are named by a keyed hash: neither addresses nor names of accounts, existing or not, can be read out of the table.
 * Half of the hash is plenty: a collision would only share a bucket.
 */
async function bucket(
  env: Env,
  capacity: number,
  periodMs: number,
  ...parts: [kind: string, ...of: string[]]
): Promise<Bucket> {
  const name = new TextEncoder().encode(JSON.stringify(parts));
  const hash = await crypto.subtle.sign("HMAC", await macKey(env.JWT_SECRET, "rate limit keys"), name);
  return { key: btoa(String.fromCharCode(...new Uint8Array(hash, 0, 16))), capacity, periodMs };
}

/** Registrations from an address. */
export function registrations(env: Env, address: string): Promise<Bucket> {
  return bucket(env, settings(env).REGISTER_LIMIT, HOUR_MS, "register", address);
}

/** Sign-in attempts from an address, good and bad. */
export function signIns(env: Env, address: string): Promise<Bucket> {
  return bucket(env, settings(env).LOGIN_LIMIT, MINUTE_MS, "login", address);
}

/**
 * Wrong passwords for a name, whether or not an account has it: ten at once and then one a minute from one address, a hundred an hour in all.
 * In this order: someone who is refused by the first takes nothing from the second, and so cannot lock the owner out from elsewhere.
 */
export function failedSignIns(env: Env, name: string, address: string): Promise<Bucket[]> {
  return Promise.all([
    bucket(env, 10, 10 * MINUTE_MS, "login failures", name, address),
    bucket(env, 100, HOUR_MS, "login failures", name),
  ]);
}

/** Wrong codes for an account: three of a million codes are valid at a time, so 300 guesses a day find one in three years. */
export function failedSecondFactors(env: Env, userId: UserId): Promise<Bucket> {
  return bucket(env, 5, 25 * MINUTE_MS, "second factor", userId);
}

/** Wrong passwords in a confirmation by someone who is signed in. */
export function failedConfirmations(env: Env, userId: UserId): Promise<Bucket> {
  return bucket(env, 10, 10 * MINUTE_MS, "confirmation", userId);
}

/**
 * Wrong tokens of a vault, then one a minute. Each request for records holds one while it is served, and a browser that reads a vault back
 * has several under way.
 */
export function failedVaultTokens(env: Env, userId: UserId): Promise<Bucket> {
  return bucket(env, 20, 20 * MINUTE_MS, "vault token", userId);
}

/**
 * Claims of a person's keys: 300 an hour in all, which starts conversations with every device of two full groups, and 20 for one person,
 * so that nobody alone can use up another's one-time keys.
 */
export function keyClaims(env: Env, userId: UserId, of: UserId): Promise<Bucket[]> {
  return Promise.all([
    bucket(env, 20, HOUR_MS, "key claims", userId, of),
    bucket(env, 300, HOUR_MS, "key claims", userId),
  ]);
}

/** Changes of an account's device list and keys: everyone it talks with is told of them. */
export function deviceChanges(env: Env, userId: UserId): Promise<Bucket> {
  return bucket(env, 60, HOUR_MS, "device changes", userId);
}

/** Direct conversations that a person opens or adds people to: others cannot refuse them. */
export function openings(env: Env, userId: UserId): Promise<Bucket> {
  return bucket(env, 60, HOUR_MS, "openings", userId);
}

/** Friendships that a person asks for, takes up, refuses and ends: others are told. */
export function askings(env: Env, userId: UserId): Promise<Bucket> {
  return bucket(env, 60, HOUR_MS, "askings", userId);
}

/** Blocks that a person sets or takes back. */
export function blockings(env: Env, userId: UserId): Promise<Bucket> {
  return bucket(env, 60, HOUR_MS, "blockings", userId);
}

/** Places that a person takes in voice channels: each is told to everyone who may view the channel. */
export function voiceJoins(env: Env, userId: UserId): Promise<Bucket> {
  return bucket(env, 30, MINUTE_MS, "voice joins", userId);
}

/** Calls that a person lets ring: others cannot refuse them. */
export function rings(env: Env, userId: UserId): Promise<Bucket> {
  return bucket(env, 10, 10 * MINUTE_MS, "rings", userId);
}

/** Takes a token of each bucket in turn, and stops with `rate_limited` at the first empty one. */
export async function admit(db: Database, buckets: readonly Bucket[]): Promise<Outcome<undefined>> {
  for (const each of buckets) {
    const waitMs = await takeToken(db, each);
    if (waitMs > 0) return refuse("rate_limited", "too many attempts: wait a little", { retryAfterMs: waitMs });
  }
  return ok();
}

/** Puts the tokens back of an attempt that was no failure. Tokens are taken first, so that parallel guesses cannot outrun the count. */
export async function forgive(db: Database, buckets: readonly Bucket[]): Promise<void> {
  await Promise.all(buckets.map((each) => giveBackToken(db, each)));
}
