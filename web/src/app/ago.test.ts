import { expect, test } from "vitest";
import { agoParts } from "./ago.ts";

test("a time gone by is told in its largest whole unit", () => {
  expect(agoParts(59_999)).toBeUndefined();
  expect(agoParts(60_000)).toEqual({ count: 1, unit: "minute" });
  expect(agoParts(7_199_999)).toEqual({ count: 1, unit: "hour" });
  expect(agoParts(3 * 86_400_000)).toEqual({ count: 3, unit: "day" });
});

test("a clock that runs behind the server's gives no time in the future", () => {
  expect(agoParts(-5_000)).toBeUndefined();
});
