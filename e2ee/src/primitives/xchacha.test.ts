import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { expect, test } from "vitest";
import { decryptXChaCha, encryptXChaCha } from "./xchacha.ts";

const key = hexToBytes("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
const nonce = hexToBytes("404142434445464748494a4b4c4d4e4f5051525354555657");
const additionalData = hexToBytes("50515253c0c1c2c3c4c5c6c7");
const plaintext = utf8ToBytes(
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
);
const ciphertext =
  "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e";
const tag = "c0875924c1c7987947deafd8780acf49";

test("[XC1] encrypts as in A.3.1 of draft-irtf-cfrg-xchacha-03", () => {
  const sealed = encryptXChaCha(key, nonce, plaintext, additionalData);
  expect(bytesToHex(sealed)).toBe(ciphertext + tag);
  expect(decryptXChaCha(key, nonce, sealed, additionalData)).toEqual(plaintext);
});

test("[XC2] refuses what was changed, and keys of another length", () => {
  const sealed = hexToBytes(ciphertext + tag);
  const changed = Uint8Array.from(sealed);
  changed[3]! ^= 1;
  for (const work of [
    () => decryptXChaCha(key, nonce, changed, additionalData),
    () => decryptXChaCha(key, nonce, sealed, additionalData.subarray(1)),
    () => decryptXChaCha(key, nonce, sealed.subarray(0, 10), additionalData),
    () => decryptXChaCha(key, nonce, new Uint8Array(0), additionalData),
    () => decryptXChaCha(new Uint8Array(32), nonce, sealed, additionalData),
  ]) {
    expect(work).toThrow(expect.objectContaining({ code: "damaged" }));
  }
  for (const work of [encryptXChaCha, decryptXChaCha]) {
    expect(() => work(new Uint8Array(16), nonce, sealed, additionalData)).toThrow(
      expect.objectContaining({ code: "invalid_key" }),
    );
  }
});
