import { PERMISSIONS } from "@lescopains/protocol/permissions";
import { assert, bigInt, constantFrom, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { isBlank, movedPosition, stanceOf, withStance } from "./model.ts";

describe("a channel's stance on a permission", () => {
  const bits = bigInt({ min: 0n, max: (1n << 41n) - 1n });

  test("is read back as it was set, and leaves every other bit alone", () => {
    assert(
      property(bits, bits, constantFrom("inherit", "allow", "deny"), (some, others, stance) => {
        const before = { allow: String(some & ~others), deny: String(others & ~some) };
        const after = withStance(before, "sendMessages", stance);
        expect(stanceOf(after, "sendMessages")).toBe(stance);
        const mask = ~PERMISSIONS.sendMessages;
        expect(BigInt(after.allow) & mask).toBe(BigInt(before.allow) & mask);
        expect(BigInt(after.deny) & mask).toBe(BigInt(before.deny) & mask);
        expect(BigInt(after.allow) & BigInt(after.deny)).toBe(0n);
      }),
      { seed: 2 },
    );
  });

  test("is inherited without an overwrite, and an overwrite set back to that is blank", () => {
    expect(stanceOf(undefined, "viewChannel")).toBe("inherit");
    const denied = withStance(undefined, "viewChannel", "deny");
    expect(isBlank(denied)).toBe(false);
    expect(isBlank(withStance(denied, "viewChannel", "inherit"))).toBe(true);
  });
});

test("a channel moves into its neighbour's place, and no further than the ends", () => {
  const channels = [
    { id: "a", position: 0 },
    { id: "b", position: 3 },
    { id: "c", position: 4 },
  ] as unknown as Parameters<typeof movedPosition>[0];
  expect(movedPosition(channels, "a", 1)).toBe(3);
  expect(movedPosition(channels, "c", -1)).toBe(3);
  expect(movedPosition(channels, "a", -1)).toBeUndefined();
  expect(movedPosition(channels, "c", 1)).toBeUndefined();
  expect(movedPosition(channels, "x", 1)).toBeUndefined();
});
