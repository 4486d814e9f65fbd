import type { UserId } from "@lescopains/protocol/ids";
import { ok, type Outcome, type Refusal, refuse } from "@lescopains/protocol/outcome";
import type { RouteName } from "@lescopains/protocol/routes";
import type { Empty } from "../actors/limiter/buckets.ts";
import type { Bucket } from "../db/limits.ts";
import { limiter } from "../platform/actors.ts";
import { type Env, settings } from "../platform/env.ts";
import { log } from "../platform/logger.ts";
import { limitedAddress } from "./address.ts";

const MINUTE_MS = 60_000;

/** People at one address, at their full rate: a household, a school, a provider's shared address. */
const PEOPLE_AT_AN_ADDRESS = 10;

/** Requests of one kind have a budget of their own, as a multiple of `REST_LIMIT`. */
const SHARES = {
  /** What a client asks in a minute of hard use stays well below (docs/spec/limits.md). */
  other: 1,
  /** Opening a group of 25 asks twice for each person in it. */
  keys: 0.6,
  /** Codes are not to be tried out. */
  invites: 0.2,
  /** A browser that reads its vault back, or fills it, does so page after page; the vault has bounds of its own. */
  vault: 12,
  /**
   * What comes with the refresh cookie is a stranger's until that is opened, yet asked by everybody who opens the app or comes back. There is nothing
   * to guess, and a neighbour who uses up the address's budget must not keep others from staying signed in.
   */
  cookie: PEOPLE_AT_AN_ADDRESS,
} as const;
type Kind = keyof typeof SHARES;

const KINDS: Partial<Record<RouteName, Kind>> = {
  putDevice: "keys",
  putDevices: "keys",
  addPreKeys: "keys",
  userDevices: "keys",
  claimKeys: "keys",
  openHandoff: "keys",
  createInvite: "invites",
  getInvite: "invites",
  joinInvite: "invites",
  joinServer: "invites",
  revokeInvite: "invites",
  createInstanceInvite: "invites",
  revokeInstanceInvite: "invites",
  refresh: "cookie",
  logout: "cookie",
  listVaultRecords: "vault",
  putVaultRecord: "vault",
};

/** What a request takes from. A person's budgets may be used up twice as fast for a while; strangers share their address's. */
function bucketsOf(env: Env, request: Request, name: RouteName, userId: UserId | undefined): Bucket[] {
  const kind = KINDS[name] ?? "other";
  const perMinute = Math.max(1, settings(env).REST_LIMIT * SHARES[kind]);
  const address = limitedAddress(request, env);
  if (userId === undefined) return [{ key: `${kind} address ${address}`, capacity: perMinute, periodMs: MINUTE_MS }];
  const capacity = PEOPLE_AT_AN_ADDRESS * perMinute;
  return [
    { key: `${kind} person ${userId}`, capacity: 2 * perMinute, periodMs: 2 * MINUTE_MS },
    { key: `${kind} people at ${address}`, capacity, periodMs: MINUTE_MS },
  ];
}

/** Until when a bucket is known to be empty, in this isolate: a flood asks neither the actor nor PostgreSQL. */
const emptyUntilMs = new Map<string, number>();
const MOST_EMPTY = 10_000;

function tooMany(waitMs: number): Refusal {
  return refuse("rate_limited", "too many requests: wait a little", { retryAfterMs: waitMs });
}

/** A request's budget: whether it is known to be used up, and a way to take from it. */
export interface Budget {
  readonly known: Refusal | undefined;
  /** [LIMIT8] Refuses with `rate_limited`. An actor that cannot be asked refuses nobody. */
  readonly take: () => Promise<Outcome<undefined>>;
}

/** @param userId whose access token came with it, if it is genuine */
export function budgetOf(env: Env, request: Request, name: RouteName, userId: UserId | undefined): Budget {
  if (settings(env).REST_LIMIT === 0) return { known: undefined, take: async () => ok() };
  const buckets = bucketsOf(env, request, name, userId);
  const nowMs = Date.now();
  const waitMs = Math.max(...buckets.map(({ key }) => (emptyUntilMs.get(key) ?? 0) - nowMs));
  return { known: waitMs > 0 ? tooMany(waitMs) : undefined, take: () => take(env, buckets) };
}

async function take(env: Env, buckets: readonly Bucket[]): Promise<Outcome<undefined>> {
  let empty: Empty | null = null;
  try {
    empty = await limiter(env).take(buckets);
  } catch (error) {
    log.warn("requests are not counted", { reason: String(error) });
  }
  if (empty === null) return ok();
  if (emptyUntilMs.size >= MOST_EMPTY) emptyUntilMs.clear();
  emptyUntilMs.set(empty.key, Date.now() + empty.waitMs);
  return tooMany(empty.waitMs);
}
