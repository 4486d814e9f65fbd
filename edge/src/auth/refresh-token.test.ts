import { SessionId } from "@lescopains/protocol/ids";
import * as fc from "fast-check";
import { parse } from "valibot";
import { expect, test } from "vitest";
import { openRefreshToken, sealRefreshToken } from "./refresh-token.ts";

const OURS = Buffer.alloc(32, 1).toString("base64");
const THEIRS = Buffer.alloc(32, 2).toString("base64");
const sessionId = parse(SessionId, "0190163d-8694-739b-aea5-966c26f8ad91");
const generations = fc.integer({ min: 1, max: 2 ** 31 - 1 });

test("[AUTH9] a refresh token says its session and generation, in text that a cookie holds as it is", async () => {
  await fc.assert(
    fc.asyncProperty(generations, async (generation) => {
      const token = await sealRefreshToken(OURS, { sessionId, generation });
      expect(token).toMatch(/^[A-Za-z0-9_-]{70}$/);
      expect(await openRefreshToken(OURS, token)).toEqual({ sessionId, generation });
    }),
  );
});

test("[AUTH12] a refresh token of another instance is not ours", async () => {
  const token = await sealRefreshToken(THEIRS, { sessionId, generation: 1 });
  expect(await openRefreshToken(OURS, token)).toBeUndefined();
});

test("[AUTH12] a refresh token with one character changed is not ours", async () => {
  const token = await sealRefreshToken(OURS, { sessionId, generation: 1 });
  const opened = await Promise.all(
    Array.from(token, (char, index) => {
      const other = char === "A" ? "B" : "A";
      return openRefreshToken(OURS, token.slice(0, index) + other + token.slice(index + 1));
    }),
  );
  // The last character has two spare bits; decoding drops them, as it should.
  expect(opened.slice(0, -1).every((claims) => claims === undefined)).toBe(true);
});

test("[AUTH12] any other text is no refresh token", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.string({ minLength: 70, maxLength: 70 })), async (text) => {
      expect(await openRefreshToken(OURS, text)).toBeUndefined();
    }),
  );
});

test("a secret of less than 32 bytes is refused", async () => {
  await expect(sealRefreshToken("c2hvcnQ=", { sessionId, generation: 1 })).rejects.toThrow(/32 bytes/);
});
