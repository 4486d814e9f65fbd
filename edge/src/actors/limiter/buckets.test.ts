import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Bucket } from "../../db/limits.ts";
import { Buckets } from "./buckets.ts";

function waitMs(buckets: Buckets, wanted: readonly Bucket[], nowMs: number): number {
  return buckets.take(wanted, nowMs)?.waitMs ?? 0;
}

const tenAMinute = { key: "one", capacity: 10, periodMs: 60_000 };

describe("[LIMIT8] buckets of requests", () => {
  test("give what they hold at once, then one after the other, and say when", () => {
    const buckets = new Buckets();
    for (let n = 0; n < 10; n += 1) expect(waitMs(buckets, [tenAMinute], 1_000)).toBe(0);
    expect(waitMs(buckets, [tenAMinute], 1_000)).toBe(6_000);
    expect(waitMs(buckets, [tenAMinute], 4_000)).toBe(3_000);
    expect(waitMs(buckets, [tenAMinute], 7_000)).toBe(0);
    expect(waitMs(buckets, [tenAMinute], 7_000)).toBe(6_000);
    expect(waitMs(buckets, [{ ...tenAMinute, key: "another" }], 7_000)).toBe(0);
  });

  test("give one of each or none: who is refused by one takes nothing from the other", () => {
    const buckets = new Buckets();
    const full = { key: "address", capacity: 5, periodMs: 60_000 };
    for (let n = 0; n < 10; n += 1) waitMs(buckets, [tenAMinute], 0);
    for (let n = 0; n < 20; n += 1) expect(buckets.take([full, tenAMinute], 0)).toEqual({ key: "one", waitMs: 6_000 });
    for (let n = 0; n < 5; n += 1) expect(waitMs(buckets, [full], 0)).toBe(0);
    expect(waitMs(buckets, [full], 0)).toBeGreaterThan(0);
  });

  test("gain nothing by a clock that goes back, and hold no more than they may after a long time", () => {
    const buckets = new Buckets();
    for (let n = 0; n < 10; n += 1) waitMs(buckets, [tenAMinute], 1_000_000);
    expect(waitMs(buckets, [tenAMinute], 0)).toBe(6_000);
    for (let n = 0; n < 10; n += 1) expect(waitMs(buckets, [tenAMinute], 100_000_000)).toBe(0);
    expect(waitMs(buckets, [tenAMinute], 100_000_000)).toBe(6_000);
  });

  test("never give more than they hold and gain, whatever the order of requests; the wait they tell is enough", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20_000), { minLength: 1, maxLength: 200 }), (pauses) => {
        const buckets = new Buckets();
        let nowMs = 0;
        let taken = 0;
        for (const pauseMs of pauses) {
          nowMs += pauseMs;
          const wait = waitMs(buckets, [tenAMinute], nowMs);
          if (wait === 0) taken += 1;
          else {
            nowMs += wait;
            expect(waitMs(buckets, [tenAMinute], nowMs)).toBe(0);
            taken += 1;
          }
        }
        expect(taken).toBeLessThanOrEqual(10 + nowMs / 6_000 + 1e-6);
      }),
    );
  });

  test("of 100,000 addresses cost no more memory than 50,000, and the one that floods is not forgotten", () => {
    const buckets = new Buckets();
    const flooding = { ...tenAMinute, key: "flooding" };
    for (let n = 0; n < 10; n += 1) waitMs(buckets, [flooding], 0);
    for (let n = 0; n < 100_000; n += 1) {
      waitMs(buckets, [{ ...tenAMinute, key: `2001:db8:${n}::/64` }], 0);
      expect(buckets.size).toBeLessThanOrEqual(50_000);
      if (n % 10_000 === 0) expect(waitMs(buckets, [flooding], 0)).toBe(6_000);
    }
    expect(waitMs(buckets, [flooding], 0)).toBe(6_000);
  });
});
