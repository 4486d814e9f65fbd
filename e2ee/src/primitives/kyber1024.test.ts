import { shake128 } from "@noble/hashes/sha3.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { expect, test } from "vitest";
import { decapsulate, encapsulate, generateKemKeyPair } from "./kyber1024.ts";

const source = shake128.create().update(Uint8Array.of(10, 24));
const random = (length: number) => source.xof(length);

test("[KY1] the ML-KEM-1024 below gives the accumulated result of the public 100 vectors", () => {
  // Method: C2SP CCTV, ML-KEM/README.md; the value is agreed on by BoringSSL's, CIRCL's and other implementations.
  const input = shake128.create();
  const output = shake128.create();
  for (let round = 0; round < 100; round++) {
    const { secretKey, publicKey } = ml_kem1024.keygen(input.xof(64));
    const { cipherText, sharedSecret } = ml_kem1024.encapsulate(publicKey, input.xof(32));
    expect(ml_kem1024.decapsulate(cipherText, secretKey)).toEqual(sharedSecret);
    output.update(publicKey).update(cipherText).update(sharedSecret);
    output.update(ml_kem1024.decapsulate(input.xof(1568), secretKey));
  }
  expect(bytesToHex(output.xof(32))).toBe("800018fec3e2723f73f1d657fe239b4d5d8782efaade297e8cd448e54cc2ac00");
});

test("[KY2] both sides find the same secret, which is not ML-KEM's own", () => {
  const { secretKey, publicKey } = generateKemKeyPair(random);
  const { ciphertext, secret } = encapsulate(publicKey, random);
  expect(decapsulate(secretKey, ciphertext)).toEqual(secret);
  expect(ml_kem1024.decapsulate(ciphertext.subarray(1), secretKey)).not.toEqual(secret);
  expect([publicKey[0], ciphertext[0], publicKey.length, ciphertext.length]).toEqual([8, 8, 1569, 1569]);
});

test("[KY3] an altered ciphertext gives another secret", () => {
  const { secretKey, publicKey } = generateKemKeyPair(random);
  const { ciphertext, secret } = encapsulate(publicKey, random);
  ciphertext[700]! ^= 1;
  expect(decapsulate(secretKey, ciphertext)).not.toEqual(secret);
});

test("[KY4] keys and ciphertexts of another type or length, or not reduced, are refused", () => {
  const { secretKey, publicKey } = generateKemKeyPair(random);
  const { ciphertext } = encapsulate(publicKey, random);
  const typed = (bytes: Uint8Array, type: number) =>
    Uint8Array.from(bytes, (byte, index) => (index === 0 ? type : byte));
  const unreduced = typed(publicKey, 8).fill(0xff, 1, 40);
  for (const bytes of [typed(publicKey, 7), typed(publicKey, 10), publicKey.subarray(1), unreduced, new Uint8Array()]) {
    expect(() => encapsulate(bytes, random)).toThrow(expect.objectContaining({ code: "invalid_key" }));
  }
  for (const bytes of [typed(ciphertext, 7), typed(ciphertext, 10), ciphertext.subarray(1), new Uint8Array()]) {
    expect(() => decapsulate(secretKey, bytes)).toThrow(expect.objectContaining({ code: "invalid_message" }));
  }
  expect(() => decapsulate(secretKey.subarray(1), ciphertext)).toThrow(
    expect.objectContaining({ code: "invalid_key" }),
  );
});
