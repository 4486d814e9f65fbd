import { RegisterBody } from "@lescopains/protocol/rest";
import { describe, expect, test } from "vitest";
import * as v from "valibot";
import { emailLooksRight, passwordFault, usernameFault } from "./model.ts";

describe("a new account", () => {
  test.each(["a", "x".repeat(33), "-dash", "with space", "é", "ok.name-1", "Léo", "ab"])(
    "the form and the contract agree on the username %s",
    (username) => {
      const accepted = v.is(RegisterBody, { username, password: "long enough" });
      expect(usernameFault(username) === undefined).toBe(accepted);
    },
  );

  test.each(["", "1234567", "12345678", "é".repeat(36), "é".repeat(37), "x".repeat(72), "x".repeat(73)])(
    "the form and the contract agree on a password of these bytes (%#)",
    (password) => {
      const accepted = v.is(RegisterBody, { username: "leo", password });
      expect(passwordFault(password) === undefined).toBe(accepted);
    },
  );

  test("an address may be left out, and must look like one otherwise", () => {
    expect(emailLooksRight("")).toBe(true);
    expect(emailLooksRight("leo@example.org")).toBe(true);
    expect(emailLooksRight("leo@")).toBe(false);
  });
});
