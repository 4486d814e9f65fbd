import type { FloodLimits } from "./settings.ts";

/** Admits `burst` frames at once and `framesPerSecond` in the long run. Starts full. */
export class TokenBucket {
  #tokens: number;
  #filledMs: number;

  constructor(limits: FloodLimits, nowMs: number) {
    this.#tokens = limits.burst;
    this.#filledMs = nowMs;
  }

  /** Takes `count` tokens; false (and nothing taken) when there are too few. A clock that goes back adds none. */
  take(limits: FloodLimits, count: number, nowMs: number): boolean {
    if (nowMs > this.#filledMs) {
      const earned = ((nowMs - this.#filledMs) / 1000) * limits.framesPerSecond;
      this.#tokens = Math.min(limits.burst, this.#tokens + earned);
      this.#filledMs = nowMs;
    }
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }
}
