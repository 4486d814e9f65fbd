import { describe, expect, test } from "vitest";

import { TokenBucket } from "./token-bucket.ts";

const limits = { framesPerSecond: 10, burst: 5 };

describe("token bucket", () => {
  test("[IO73] admits a burst, then no more than the rate", () => {
    const bucket = new TokenBucket(limits, 0);
    const admitted = (nowMs: number): number => {
      let count = 0;
      while (bucket.take(limits, 1, nowMs)) count++;
      return count;
    };
    expect(admitted(0)).toBe(5);
    expect(admitted(99)).toBe(0);
    expect(admitted(100)).toBe(1);
    expect(admitted(400)).toBe(3);
    expect(admitted(60_000)).toBe(5);
  });

  test("[IO73] takes all or nothing", () => {
    const bucket = new TokenBucket(limits, 0);
    expect(bucket.take(limits, 6, 0)).toBe(false);
    expect(bucket.take(limits, 5, 0)).toBe(true);
  });

  test("[IO73] a clock that goes back earns nothing and loses nothing", () => {
    const bucket = new TokenBucket(limits, 1_000);
    expect(bucket.take(limits, 5, 1_000)).toBe(true);
    expect(bucket.take(limits, 1, 0)).toBe(false);
    expect(bucket.take(limits, 1, 1_100)).toBe(true);
  });
});
