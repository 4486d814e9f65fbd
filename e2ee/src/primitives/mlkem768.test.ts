import { sha3_256, shake128 } from "@noble/hashes/sha3.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { expect, test } from "vitest";
import { concat } from "../bytes.ts";
import { decapsulate, encapsulate1, encapsulate2, generate, headerOf, vectorMatches, vectorOf } from "./mlkem768.ts";

const source = shake128.create().update(Uint8Array.of(7, 68));
const random = (length: number) => source.xof(length);

test("[MK1] the split encapsulation gives the accumulated result of the public 100 vectors", () => {
  // Method: C2SP CCTV, ML-KEM/README.md; value: Go's crypto/mlkem, TestAccumulated.
  const input = shake128.create();
  const output = shake128.create();
  for (let round = 0; round < 100; round++) {
    const secretKey = generate(input.xof(64));
    const { ct1, secret, encapsulation } = encapsulate1(headerOf(secretKey), input.xof(32));
    const ct2 = encapsulate2(encapsulation, vectorOf(secretKey));
    output.update(vectorOf(secretKey)).update(headerOf(secretKey).subarray(0, 32));
    output.update(ct1).update(ct2).update(secret);
    const other = input.xof(1088);
    output.update(decapsulate(secretKey, other.subarray(0, 960), other.subarray(960)));
  }
  expect(bytesToHex(output.xof(32))).toBe("1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415");
});

test("[MK2] both steps together are the library's encapsulation with the same randomness", () => {
  for (let round = 0; round < 100; round++) {
    const secretKey = generate(random(64));
    const m = random(32);
    const { ct1, secret, encapsulation } = encapsulate1(headerOf(secretKey), m);
    const ct2 = encapsulate2(encapsulation, vectorOf(secretKey));
    const whole = ml_kem768.encapsulate(ml_kem768.getPublicKey(secretKey), m);
    expect(concat(ct1, ct2)).toEqual(whole.cipherText);
    expect(secret).toEqual(whole.sharedSecret);
    expect(decapsulate(secretKey, ct1, ct2)).toEqual(secret);
  }
});

test("[MK3] an altered ciphertext gives another secret", () => {
  const secretKey = generate(random(64));
  const { ct1, secret, encapsulation } = encapsulate1(headerOf(secretKey), random(32));
  const ct2 = encapsulate2(encapsulation, vectorOf(secretKey));
  ct2[5]! ^= 4;
  expect(decapsulate(secretKey, ct1, ct2)).not.toEqual(secret);
});

test("[MK4] a key that its header did not announce, or that is not reduced, does not match", () => {
  const secretKey = generate(random(64));
  const header = headerOf(secretKey);
  const vector = Uint8Array.from(vectorOf(secretKey));
  expect(vectorMatches(header, vector)).toBe(true);
  expect(vectorMatches(headerOf(generate(random(64))), vector)).toBe(false);
  // 0xfff is no coefficient below 3329; the hash is made to agree, so the modulus check alone refuses it.
  vector.fill(0xff, 300, 303);
  expect(vectorMatches(header, vector)).toBe(false);
  const announced = headerOf(concat(new Uint8Array(2304), header.subarray(0, 32), keyHash(vector, header)));
  expect(vectorMatches(announced, vector)).toBe(false);
});

test("[MK5] a damaged secret key is invalid_record", () => {
  const secretKey = generate(random(64));
  secretKey[1200]! ^= 1;
  expect(() => decapsulate(secretKey, new Uint8Array(960), new Uint8Array(128))).toThrow(
    expect.objectContaining({ code: "invalid_record" }),
  );
});

function keyHash(vector: Uint8Array, header: Uint8Array): Uint8Array {
  return sha3_256(concat(vector, header.subarray(0, 32)));
}
