import fc from "fast-check";
import { expect, test } from "vitest";
import { paddedLength } from "./padding.ts";

test("[PD1] up to 1,024 bytes everything has one length", () => {
  expect([0, 1, 1_023, 1_024].map(paddedLength)).toEqual([1_024, 1_024, 1_024, 1_024]);
});

test("[PD2] the lengths are Padmé's", () => {
  // floor(log2 L) = 10 … 30: all but the first 4 or 5 bits are rounded up.
  expect(paddedLength(1_025)).toBe(1_088);
  expect(paddedLength(9_000)).toBe(9_216);
  expect(paddedLength(1_000_000)).toBe(1_015_808);
  expect(paddedLength(2 ** 30 + 1)).toBe(2 ** 30 + 2 ** 25);
});

test("[PD3] nothing gets shorter, more than 12 % longer, or longer again when it is padded twice", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1_024, max: 2 ** 50 }), (length) => {
      const padded = paddedLength(length);
      expect(padded).toBeGreaterThanOrEqual(length);
      expect(padded).toBeLessThanOrEqual(length * 1.12);
      expect(paddedLength(padded)).toBe(padded);
      expect(paddedLength(length + 1)).toBeGreaterThanOrEqual(padded);
    }),
    { seed: 51_001, numRuns: 2_000 },
  );
});
