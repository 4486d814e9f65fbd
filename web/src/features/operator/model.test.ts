import { expect, test } from "vitest";
import { inUnits } from "./model.ts";

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
