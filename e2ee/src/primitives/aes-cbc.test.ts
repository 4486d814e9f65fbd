import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtocolError } from "../errors.ts";
import { decryptCbc, encryptCbc } from "./aes-cbc.ts";

const key = hexToBytes("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
const iv = hexToBytes("000102030405060708090a0b0c0d0e0f");

test("[AE1] CBC gives the blocks of SP 800-38A, F.2.5, then one of padding", () => {
  const plaintext = hexToBytes("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
  const ciphertext = encryptCbc(key, iv, plaintext);
  expect(bytesToHex(ciphertext.subarray(0, 32))).toBe(
    "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d",
  );
  expect(ciphertext.length).toBe(48);
  expect(decryptCbc(key, iv, ciphertext)).toEqual(plaintext);
});

test("[AE2] any bytes decrypt or are refused as invalid_message, and what was encrypted comes back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(decryptCbc(key, iv, encryptCbc(key, iv, bytes))).toEqual(bytes);
      try {
        decryptCbc(key, iv, bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
        expect(error).toMatchObject({ code: "invalid_message" });
      }
    }),
    { seed: 38, numRuns: 300 },
  );
});
