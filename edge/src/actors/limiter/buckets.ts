import type { Bucket } from "../../db/limits.ts";

/** Buckets that are remembered: 10 MB at most. */
const MOST_BUCKETS = 50_000;

/** A bucket without a token, and the milliseconds until it has one. */
export interface Empty {
  readonly key: string;
  readonly waitMs: number;
}

interface Level {
  readonly tokens: number;
  readonly atMs: number;
}

/**
 * Token buckets in memory, by key. A bucket that nobody asked for is full. When there are too many, those that were not asked for the longest are
 * forgotten, and so are full again: whoever comes from 50,000 addresses is let off, and costs no more memory.
 */
export class Buckets {
  readonly #levels = new Map<string, Level>();
  readonly #most: number;

  constructor(most: number = MOST_BUCKETS) {
    this.#most = most;
  }

  get size(): number {
    return this.#levels.size;
  }

  /** Takes a token of each, or none of any: then the answer is the bucket that takes the longest to have one, and how long. */
  take(buckets: readonly Bucket[], nowMs: number): Empty | null {
    const filled = buckets.map((bucket) => {
      const tokens = this.#tokens(bucket, nowMs);
      return { key: bucket.key, tokens, waitMs: untilOne(bucket, tokens) };
    });
    const slowest = filled.toSorted((one, other) => other.waitMs - one.waitMs)[0];
    const empty = slowest === undefined || slowest.waitMs === 0 ? null : { key: slowest.key, waitMs: slowest.waitMs };
    for (const { key, tokens } of filled) {
      // Written anew, it stands last: what stands first was not asked for the longest.
      this.#levels.delete(key);
      this.#levels.set(key, { tokens: empty === null ? tokens - 1 : tokens, atMs: nowMs });
    }
    if (this.#levels.size > this.#most) this.#forget();
    return empty;
  }

  /** A tenth at once: finding the first key of a map gets slow when many before it were deleted. */
  #forget(): void {
    const enough = this.#most * 0.9;
    for (const key of this.#levels.keys()) {
      if (this.#levels.size <= enough) return;
      this.#levels.delete(key);
    }
  }

  /** What a bucket holds now. A clock that goes back adds nothing. */
  #tokens({ key, capacity, periodMs }: Bucket, nowMs: number): number {
    const level = this.#levels.get(key);
    if (level === undefined) return capacity;
    return Math.min(capacity, level.tokens + (Math.max(0, nowMs - level.atMs) * capacity) / periodMs);
  }
}

function untilOne({ capacity, periodMs }: Bucket, tokens: number): number {
  return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * periodMs) / capacity);
}
