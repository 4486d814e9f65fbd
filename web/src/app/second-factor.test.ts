import { LoginBody } from "@lescopains/protocol/rest";
import { describe, expect, test } from "vitest";
import * as v from "valibot";
import { secondFactor } from "./second-factor.ts";

describe("a second factor", () => {
  test.each([
    ["123456", "123456"],
    [" 123 456 ", "123456"],
    ["ABCDE-12345", "abcde-12345"],
    ["abcde12345", "abcde-12345"],
  ])("%s is understood, and the contract takes it", (typed, sent) => {
    expect(secondFactor(typed)).toBe(sent);
    expect(v.is(LoginBody, { username: "leo", password: "x", totp: sent })).toBe(true);
  });

  test.each(["", "12345", "1234567", "abc"])("%s is not one", (typed) => {
    expect(secondFactor(typed)).toBeUndefined();
  });
});
