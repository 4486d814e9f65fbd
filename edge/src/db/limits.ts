import { type Database, statement } from "./port.ts";

/** A token bucket that holds `capacity` and fills from empty in `periodMs`. `periodMs` is at most an hour: see the sweep below. */
export interface Bucket {
  readonly key: string;
  readonly capacity: number;
  readonly periodMs: number;
}

/**
 * Takes one token: key, capacity, tokens a second. The one row says whether there was one, and otherwise how long until there is.
 * A bucket untouched for an hour is full again, which is what a missing row means: a few such rows go with each call.
 */
const take = statement<[string, number, number], { taken: boolean; wait_ms: number }>(
  "limits.take",
  `WITH taken AS (
     INSERT INTO rate_limits AS b (key, tokens, updated_at) VALUES ($1, $2::float8 - 1, now())
     ON CONFLICT (key) DO UPDATE SET
       tokens = least($2, b.tokens + $3::float8 * greatest(0, extract(epoch FROM now() - b.updated_at))) - 1,
       updated_at = greatest(b.updated_at, now())
     WHERE least($2, b.tokens + $3 * greatest(0, extract(epoch FROM now() - b.updated_at))) >= 1
     RETURNING key
   ), swept AS (
     DELETE FROM rate_limits WHERE key IN (
       SELECT key FROM rate_limits WHERE updated_at < now() - interval '1 hour' AND key <> $1
       ORDER BY updated_at LIMIT 4 FOR UPDATE SKIP LOCKED
     )
   )
   SELECT EXISTS (SELECT FROM taken) AS taken,
     ceil(1000 * coalesce(
       (SELECT (1 - b.tokens) / $3 - extract(epoch FROM now() - b.updated_at) FROM rate_limits b WHERE key = $1), 1 / $3
     ))::float8 AS wait_ms`,
);

/** Puts a token back: key, capacity. */
const giveBack = statement<[string, number], never>(
  "limits.give_back",
  `UPDATE rate_limits SET tokens = least($2::float8, tokens + 1) WHERE key = $1`,
);

/** Takes a token; the answer is 0, or the milliseconds until there is one. */
export async function takeToken(db: Database, { key, capacity, periodMs }: Bucket): Promise<number> {
  const [row] = await db.query(take, [key, capacity, (capacity * 1_000) / periodMs]);
  if (row === undefined || row.taken) return 0;
  return Math.min(Math.max(1, row.wait_ms), periodMs);
}

/** Puts back the token of an attempt that turned out to be no failure. */
export async function giveBackToken(db: Database, { key, capacity }: Bucket): Promise<void> {
  await db.query(giveBack, [key, capacity]);
}
