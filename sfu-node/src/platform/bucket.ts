/** A token bucket: `perSecond` points come back, up to `burst`. */
export class Bucket {
  readonly #perMs: number;
  readonly #burst: number;
  #points: number;
  #atMs: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perMs = perSecond / 1_000;
    this.#burst = burst;
    this.#points = burst;
    this.#atMs = nowMs;
  }

  /** Takes `points`, or answers how long it takes until they are there. */
  take(points: number, nowMs: number): { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number } {
    this.#refill(nowMs);
    if (this.#points < points) {
      return { ok: false, retryAfterMs: Math.ceil((points - this.#points) / this.#perMs) };
    }
    this.#points -= points;
    return { ok: true };
  }

  isFull(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#points >= this.#burst;
  }

  #refill(nowMs: number): void {
    this.#points = Math.min(this.#burst, this.#points + Math.max(0, nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
  }
}

/** A bucket for each key. Full ones are forgotten; with more than `maxKeys` that are not, the oldest go. */
export class Limiter {
  readonly #buckets = new Map<string, Bucket>();
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #maxKeys: number;

  constructor(perSecond: number, burst: number, maxKeys = 10_000) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#maxKeys = maxKeys;
  }

  take(key: string, nowMs: number): ReturnType<Bucket["take"]> {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= this.#maxKeys) this.#prune(nowMs);
      bucket = new Bucket(this.#perSecond, this.#burst, nowMs);
      this.#buckets.set(key, bucket);
    }
    return bucket.take(1, nowMs);
  }

  get size(): number {
    return this.#buckets.size;
  }

  #prune(nowMs: number): void {
    for (const [key, bucket] of this.#buckets) if (bucket.isFull(nowMs)) this.#buckets.delete(key);
    const excess = this.#buckets.size - this.#maxKeys / 2;
    let dropped = 0;
    for (const key of this.#buckets.keys()) {
      if (dropped >= excess) break;
      this.#buckets.delete(key);
      dropped += 1;
    }
  }
}
