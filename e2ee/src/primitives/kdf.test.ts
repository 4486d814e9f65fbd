import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { expect, test } from "vitest";
import { utf8 } from "../bytes.ts";
import { hkdf, hmac } from "./kdf.ts";

const range = (from: number, to: number) => Uint8Array.from({ length: to - from }, (_, index) => from + index);

test.each([
  {
    name: "A.1",
    ikm: new Uint8Array(22).fill(0x0b),
    salt: range(0, 13),
    info: range(0xf0, 0xfa),
    okm: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  },
  {
    name: "A.2",
    ikm: range(0, 0x50),
    salt: range(0x60, 0xb0),
    info: range(0xb0, 0x100),
    okm: "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
  },
  {
    name: "A.3",
    ikm: new Uint8Array(22).fill(0x0b),
    salt: new Uint8Array(),
    info: new Uint8Array(),
    okm: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
  },
])("[KD1] HKDF gives the result of RFC 5869, $name", ({ ikm, salt, info, okm }) => {
  expect(bytesToHex(hkdf(ikm, salt, info, okm.length / 2))).toBe(okm);
});

test("[KD2] HMAC gives the results of RFC 4231, 4.2 and 4.3, whole or in parts", () => {
  expect(bytesToHex(hmac(new Uint8Array(20).fill(0x0b), utf8("Hi There")))).toBe(
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  );
  expect(bytesToHex(hmac(utf8("Jefe"), utf8("what do ya "), utf8("want for nothing?")))).toBe(
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});

test("[KD1] an empty salt counts as 32 zeros", () => {
  const ikm = hexToBytes("01");
  expect(hkdf(ikm, new Uint8Array(), utf8("x"), 32)).toEqual(hkdf(ikm, new Uint8Array(32), utf8("x"), 32));
});
