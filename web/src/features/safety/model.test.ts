import { expect, test } from "vitest";
import { digitGroups } from "./model.ts";

test("60 digits are 12 groups of 5, in order", () => {
  const digits = Array.from({ length: 60 }, (_, index) => index % 10).join("");
  const groups = digitGroups(digits);
  expect(groups).toHaveLength(12);
  expect(groups.join("")).toBe(digits);
  expect(groups.every((group) => group.length === 5)).toBe(true);
  expect(digitGroups("")).toEqual([]);
});
