import { UserId } from "@lescopains/protocol/ids";
import { TotpDisableBody } from "@lescopains/protocol/rest";
import { is, parse } from "valibot";
import { expect, test } from "vitest";
import { hashRecoveryCode, newRecoveryCodes } from "./recovery-codes.ts";

const KEY = Buffer.alloc(32, 3).toString("base64");
const chloe = parse(UserId, "0190163d-8694-739b-aea5-966c26f8ad91");
const sami = parse(UserId, "0190163d-8694-739b-aea5-966c26f8ad92");

test("[TOTP5] there are ten different recovery codes, and the contract accepts them", () => {
  const codes = newRecoveryCodes();
  expect(new Set(codes).size).toBe(10);
  for (const code of codes) {
    expect(code).toMatch(/^[a-z2-9]{5}-[a-z2-9]{5}$/);
    expect(is(TotpDisableBody, { password: "x", code })).toBe(true);
  }
});

test("[TOTP5] a recovery code is stored as a keyed hash that is its account's own", async () => {
  const hash = await hashRecoveryCode(KEY, chloe, "abcde-fghij");
  expect(hash).toHaveLength(32);
  expect(await hashRecoveryCode(KEY, chloe, "abcde-fghij")).toEqual(hash);
  expect(await hashRecoveryCode(KEY, sami, "abcde-fghij")).not.toEqual(hash);
  expect(await hashRecoveryCode(Buffer.alloc(32, 4).toString("base64"), chloe, "abcde-fghij")).not.toEqual(hash);
});
