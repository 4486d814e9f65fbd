import { expect, test } from "vitest";
import { inviteCodeIn } from "./invite-code.ts";

test.each([
  "abcDEF1234",
  "  abcDEF1234\n",
  "https://copains.example/invite/abcDEF1234",
  "come! https://copains.example:8443/invite/abcDEF1234?from=chat :)",
])("%s holds the code", (pasted) => {
  expect(inviteCodeIn(pasted)).toBe("abcDEF1234");
});

test.each(["", "short", "abcDEF12345", "https://copains.example/s/abcDEF1234", "abc DEF123"])(
  "%s holds none",
  (pasted) => {
    expect(inviteCodeIn(pasted)).toBeUndefined();
  },
);
