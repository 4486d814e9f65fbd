import { expect, test } from "vitest";
import { initials, tintOf } from "./tint.ts";

test("an id keeps its colour, and ids spread over the colours", () => {
  expect(tintOf("a")).toBe(tintOf("a"));
  const seen = new Set(Array.from({ length: 200 }, (_, index) => tintOf(`01900000-0000-7000-8000-${index}`)));
  expect(seen.size).toBe(9);
});

test("initials are of the first two words, whole letters and emoji included", () => {
  expect(initials("Chloé Martin")).toBe("CM");
  expect(initials("léo")).toBe("L");
  expect(initials("jean_paul.sartre")).toBe("JP");
  expect(initials("👩‍👩‍👧 famille")).toBe("👩‍👩‍👧F");
  expect(initials("???")).toBe("?");
});
