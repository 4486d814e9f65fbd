import { ALL_PERMISSIONS } from "@lescopains/protocol/permissions";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { mayGrant, mayTouch, outranks, rank } from "./hierarchy.ts";

test("[PERM6] the highest role counts; the owner stands above all; equals do not outrank each other", () => {
  expect(rank(false, [])).toBe(0);
  expect(rank(false, [2, 7, 3])).toBe(7);
  expect(outranks(rank(true, []), 250)).toBe(true);
  expect(outranks(7, 7)).toBe(false);
  expect(outranks(7, 6)).toBe(true);
});

const bits = fc.bigInt({ min: 0n, max: ALL_PERMISSIONS }).map((value) => value & ALL_PERMISSIONS);

test("[PERM7] a role gains only bits of the one who changes it, and loses any", () => {
  fc.assert(
    fc.property(bits, bits, bits, (own, before, after) => {
      const isGained = (after & ~before & ~own) !== 0n;
      return mayGrant(own, before, after) === !isGained && mayGrant(own, before, before & after);
    }),
    { seed: 20_261_103 },
  );
});

test("[PERM8] an overwrite changes, either way, only bits of the one who changes it", () => {
  fc.assert(
    fc.property(bits, bits, bits, (own, before, after) => {
      const changed = (before & ~after) | (after & ~before);
      return mayTouch(own, before, after) === ((changed & ~own) === 0n) && mayTouch(0n, before, before);
    }),
    { seed: 20_261_104 },
  );
});
