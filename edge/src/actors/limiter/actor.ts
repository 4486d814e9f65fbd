import type { Bucket } from "../../db/limits.ts";
import { Actor } from "../../platform/actor.ts";
import { Buckets, type Empty } from "./buckets.ts";

/**
 * The budgets of REST requests (http/budgets.ts), for all workers of the instance. In memory alone: no request waits for a disk, it sleeps when
 * nobody comes, and a crash fills the buckets, which matters little in a minute's budget. Limits that must outlive it are PostgreSQL's (auth/limits.ts).
 */
export class Limiter extends Actor {
  readonly #buckets = new Buckets();

  /** Takes a token of each, or none: null, or the bucket that is empty for the longest. */
  async take(buckets: readonly Bucket[]): Promise<Empty | null> {
    return this.#buckets.take(buckets, Date.now());
  }
}
