import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { expect, test } from "vitest";
import { decryptGcm, encryptGcm, importGcmKey } from "./aes-gcm.ts";

const { subtle } = globalThis.crypto;
const key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
const nonce = hexToBytes("cafebabefacedbaddecaf888");
const plaintext =
  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
const additionalData = hexToBytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
const ciphertext =
  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662";
const tag = "76fc6ece0f4e1768cddf8853bb2d551b";

test("[AG1] encrypts as in test case 16 of McGrew and Viega, The Galois/Counter Mode of Operation", async () => {
  const imported = await importGcmKey(subtle, hexToBytes(key));
  const sealed = await encryptGcm(imported, nonce, hexToBytes(plaintext), additionalData);
  expect(bytesToHex(sealed)).toBe(ciphertext + tag);
  expect(bytesToHex(await decryptGcm(imported, nonce, sealed, additionalData))).toBe(plaintext);
});

test("[AG2] refuses what was changed, and keys of another length", async () => {
  const imported = await importGcmKey(subtle, hexToBytes(key));
  const sealed = hexToBytes(ciphertext + tag);
  const changed = Uint8Array.from(sealed);
  changed[3]! ^= 1;
  for (const work of [
    () => decryptGcm(imported, nonce, changed, additionalData),
    () => decryptGcm(imported, nonce, sealed, additionalData.subarray(1)),
    () => decryptGcm(imported, nonce, sealed.subarray(0, 10), additionalData),
    () => decryptGcm(imported, nonce, new Uint8Array(0), additionalData),
  ]) {
    await expect(work()).rejects.toMatchObject({ code: "damaged" });
  }
  await expect(importGcmKey(subtle, new Uint8Array(16))).rejects.toMatchObject({ code: "invalid_key" });
});

test("[AG3] the key does not come back out of WebCrypto", async () => {
  const { handle } = await importGcmKey(subtle, hexToBytes(key));
  await expect(subtle.exportKey("raw", handle as CryptoKey)).rejects.toThrow();
});
