import { ERRORS, type ErrorCode } from "@lescopains/protocol/errors";
import { afterEach, expect, test } from "vitest";
import { errorText, waitText } from "./errors.ts";
import { LANGUAGES, setLanguage } from "./i18n.ts";

afterEach(() => setLanguage("en"));

test.each(LANGUAGES)("every refusal has a sentence of its own language (%s)", (language) => {
  setLanguage(language);
  for (const code of Object.keys(ERRORS) as ErrorCode[]) expect(errorText({ code }), code).toMatch(/^\p{Lu}.*\.$/su);
});

test("a refusal for haste says how long to wait, rounded up", () => {
  expect(errorText({ code: "rate_limited", retryAfterMs: 29_001 })).toContain("30 seconds");
  expect(waitText(1)).toBe("1 second");
  expect(waitText(121_000)).toBe("3 minutes");
  setLanguage("fr");
  expect(errorText({ code: "rate_limited", retryAfterMs: 60_000 })).toMatch(/60\s+secondes/);
});

test("a failure of the server's own says what to quote, in both languages", () => {
  expect(errorText({ code: "internal", requestId: "5f0c-1" })).toMatch(/\. .*5f0c-1\.$/);
  setLanguage("fr");
  expect(errorText({ code: "internal", requestId: "5f0c-1" })).toMatch(/\. Si .*5f0c-1\.$/);
});
