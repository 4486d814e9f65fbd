import { InstanceInviteCreate } from "@lescopains/protocol/operator";
import { expect, test } from "vitest";
import * as v from "valibot";
import { inUnits, LIFETIMES, LIFETIMES_S, USES } from "./model.ts";

test("[OPW1] every choice for an invite is one that the server takes", () => {
  for (const lifetime of LIFETIMES) {
    for (const uses of USES) {
      const body = { expiresIn: LIFETIMES_S[lifetime], maxUses: uses === "any" ? null : Number(uses) };
      expect(v.is(InstanceInviteCreate, body), JSON.stringify(body)).toBe(true);
    }
  }
});

test.each([
  [0, 0, "byte"],
  [999, 999, "byte"],
  [1_000, 1, "kilobyte"],
  [12_300_000, 12.3, "megabyte"],
  [2_000_000_000, 2, "gigabyte"],
  [5e15, 5_000, "terabyte"],
])("[OPW2] %d bytes are %d %s", (bytes, value, unit) => {
  expect(inUnits(bytes)).toEqual({ value, unit });
});
