import { UserId } from "@lescopains/protocol/ids";
import { parse } from "valibot";
import { expect, test } from "vitest";
import { newTotpSecret, openTotpSecret, sealTotpSecret, totpStep, totpUri } from "./totp.ts";

const KEY = Buffer.alloc(32, 3).toString("base64");
const OTHER_KEY = Buffer.alloc(32, 4).toString("base64");
const chloe = parse(UserId, "0190163d-8694-739b-aea5-966c26f8ad91");
const sami = parse(UserId, "0190163d-8694-739b-aea5-966c26f8ad92");
/** "12345678901234567890", the secret of RFC 6238 appendix B, in base32. */
const RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

test.each([
  [59, "287082", 1],
  [1_111_111_109, "081804", 37_037_036],
  [1_234_567_890, "005924", 41_152_263],
  [20_000_000_000, "353130", 666_666_666],
])("[TOTP1] RFC 6238 appendix B: at %i s the code is %s", async (seconds, code, step) => {
  expect(await totpStep(RFC_SECRET, code, seconds * 1_000)).toBe(step);
});

test("[TOTP1] a code is good in its own step and the two beside it, to the second", async () => {
  const code = "081804"; // Step 37037036: from 1111111080 s to 1111111110 s.
  const at = (seconds: number) => totpStep(RFC_SECRET, code, seconds * 1_000);
  expect(await at(1_111_111_049)).toBeUndefined();
  expect(await at(1_111_111_050)).toBe(37_037_036);
  expect(await at(1_111_111_139)).toBe(37_037_036);
  expect(await at(1_111_111_140)).toBeUndefined();
});

test("[TOTP2] a secret has 160 bits and a URI that authenticators read", () => {
  const secret = newTotpSecret();
  expect(secret).toMatch(/^[A-Z2-7]{32}$/);
  expect(newTotpSecret()).not.toBe(secret);
  expect(totpUri(secret, "chloe")).toBe(`otpauth://totp/LesCopains:chloe?secret=${secret}&issuer=LesCopains`);
});

test("[TOTP3] a stored secret opens with the instance's key and for its own account only", async () => {
  const secret = newTotpSecret();
  const sealed = await sealTotpSecret(KEY, chloe, secret);
  expect(Buffer.from(sealed).toString("latin1")).not.toContain(secret);
  expect(await openTotpSecret(KEY, chloe, sealed)).toBe(secret);
  expect(await sealTotpSecret(KEY, chloe, secret)).not.toEqual(sealed);
  await expect(openTotpSecret(OTHER_KEY, chloe, sealed)).rejects.toThrow(/TOTP_KEY/);
  await expect(openTotpSecret(KEY, sami, sealed)).rejects.toThrow(/TOTP_KEY/);
});
