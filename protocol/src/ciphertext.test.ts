import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { base64, byteLength } from "./ciphertext.ts";
import { EcPublicKey, KyberPublicKey } from "./keys.ts";

const encode = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

test("[KEY6] bytes have one base64 text, and only as many of them as asked are taken", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(40), fc.nat(40), (bytes, min, max) => {
      const text = encode(bytes);
      expect(byteLength(text)).toBe(bytes.length);
      expect(v.is(base64(min, max), text)).toBe(bytes.length >= min && bytes.length <= max);
    }),
    { seed: 20_261_125 },
  );
  for (const other of ["AB==", "AAB=", "AA", "A===", "AAA", "AAAA\n", " AAAA", "AA-_", "AA==AA=="]) {
    expect(v.is(base64(0, 40), other), other).toBe(false);
  }
});

test("[KEY6] a public key is of its type and its length", () => {
  const key = (type: number, length: number) => encode(Uint8Array.from({ length }, (_, n) => (n === 0 ? type : n)));
  for (let type = 0; type < 256; type += 1) {
    expect(v.is(EcPublicKey, key(type, 33))).toBe(type === 5);
    expect(v.is(KyberPublicKey, key(type, 1_569))).toBe(type === 8);
  }
  expect(v.is(EcPublicKey, key(5, 32))).toBe(false);
  expect(v.is(KyberPublicKey, key(8, 1_568))).toBe(false);
});
