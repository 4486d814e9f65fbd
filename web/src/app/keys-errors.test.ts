import { afterEach, expect, test } from "vitest";
import { KeysError } from "../keys/port.ts";
import { ApiError } from "../net/api-error.ts";
import { setLanguage } from "./i18n.ts";
import { asKeysRefusal, keysErrorText } from "./keys-errors.ts";

afterEach(() => setLanguage("en"));

test("a refusal of the device is said in the reader's language", () => {
  setLanguage("fr");
  expect(keysErrorText({ code: "wrong_password", message: "" })).toBe("Ce n'est pas ton mot de passe.");
  setLanguage("en");
  expect(keysErrorText({ code: "wrong_password", message: "" })).toBe("That's not your password.");
});

test("the server's own refusal keeps its words and its wait", () => {
  setLanguage("en");
  const refusal = asKeysRefusal(new ApiError({ code: "rate_limited", message: "", retryAfterMs: 40_000 }));
  expect(refusal).toMatchObject({ code: "refused", server: "rate_limited", retryAfterMs: 40_000 });
  expect(keysErrorText(refusal)).toContain("40 seconds");
  expect(keysErrorText({ code: "refused", message: "" })).toContain("our side");
});

test("what crossed the port keeps its code, what did not is a bug of ours", () => {
  expect(asKeysRefusal(new KeysError({ code: "offline", message: "" })).code).toBe("offline");
  expect(asKeysRefusal(new TypeError("x")).code).toBe("internal");
});
