import { expect, test } from "vitest";
import { inviteIn, inviteTyped } from "./model.ts";

test.each([
  ["?invite=abcDEF1234", "abcDEF1234"],
  ["?next=%2Finvite%2FabcDEF1234", "abcDEF1234"],
  ["?invite=one&next=%2Finvite%2Ftwo", "one"],
  ["?next=%2Fdm", undefined],
  ["?invite=a%20b", undefined],
  [`?invite=${"a".repeat(65)}`, undefined],
  ["", undefined],
])("[OPW3] the address %s brings the code %s", (search, code) => {
  expect(inviteIn(search)).toBe(code);
});

test.each([
  [" abcDEF1234 ", "abcDEF1234"],
  ["https://chez.nous/register?invite=abcDEF1234", "abcDEF1234"],
  ["https://chez.nous/invite/abcDEF1234?x=1", "abcDEF1234"],
  ["two words", undefined],
  ["", undefined],
])("[OPW3] %j is understood as the code %s", (typed, code) => {
  expect(inviteTyped(typed)).toBe(code);
});
