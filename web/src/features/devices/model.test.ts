import { describe, expect, test } from "vitest";
import { askedGroups, isPartOf, keyGroups, passphraseProblem } from "./model.ts";

const KEY = "ABCD EFGH 0123 4567 JKMN PQRS TVWX YZ01 2345 6789 ABCD EFGH JKMN PQRS";

describe("a recovery key", () => {
  test("is 14 groups of 4, whatever stands between them", () => {
    expect(keyGroups(KEY)).toHaveLength(14);
    expect(keyGroups(KEY.replaceAll(" ", "-"))).toEqual(keyGroups(KEY));
    expect(keyGroups(KEY)[2]).toBe("0123");
  });

  test("is known to be kept by a part of each half, typed any way", () => {
    expect(isPartOf(KEY, [2, 8], "0123 2345")).toBe(true);
    expect(isPartOf(KEY, [1, 11], "efgh-efgh")).toBe(true);
    expect(isPartOf(KEY, [2, 7], "oi23yzOl")).toBe(true);
    expect(isPartOf(KEY, [2, 8], "2345 0123")).toBe(false);
    expect(isPartOf(KEY, [2, 8], "")).toBe(false);
  });

  test.each([0, 0.5, 0.999])("asks for one group of each half (%s)", (random) => {
    const [first, second] = askedGroups(14, () => random);
    expect(first).toBeGreaterThanOrEqual(0);
    expect(first).toBeLessThan(7);
    expect(second).toBeGreaterThanOrEqual(7);
    expect(second).toBeLessThan(14);
  });
});

test("a passphrase is long enough and typed twice, or not wanted", () => {
  expect(passphraseProblem("", "")).toBeNull();
  expect(passphraseProblem("trop court", "trop court")).toBe("short");
  expect(passphraseProblem("quatre mots bien rangés", "quatre mots bien ranges")).toBe("different");
  expect(passphraseProblem("quatre mots bien rangés", "quatre mots bien rangés")).toBeNull();
});
