import { expect, test } from "vitest";
import { rovingTarget } from "./roving.ts";

test("arrows move by one and stop at the ends", () => {
  expect(rovingTarget("ArrowDown", 0, 3, "vertical")).toBe(1);
  expect(rovingTarget("ArrowDown", 2, 3, "vertical")).toBe(2);
  expect(rovingTarget("ArrowUp", 0, 3, "vertical")).toBe(0);
});

test("Home and End go to the ends", () => {
  expect(rovingTarget("Home", 2, 3, "vertical")).toBe(0);
  expect(rovingTarget("End", 0, 3, "horizontal")).toBe(2);
});

test("other keys, the other axis and an empty list move nothing", () => {
  expect(rovingTarget("a", 0, 3, "vertical")).toBeUndefined();
  expect(rovingTarget("ArrowRight", 0, 3, "vertical")).toBeUndefined();
  expect(rovingTarget("ArrowDown", 0, 0, "vertical")).toBeUndefined();
});
