import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { concat, wipe } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import type { Platform } from "../platform.ts";

/** What stands before a key or ciphertext of this algorithm on the wire. */
const typeByte = 0x08;
const wireLength = 1 + 1568;

/** Both halves: `secretKey` of 3168 bytes, `publicKey` of 1569 with its type byte. */
export interface KemKeyPair {
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** A new Kyber1024 key pair, from 64 random bytes. */
export function generateKemKeyPair(random: Platform["random"]): KemKeyPair {
  const seed = random(64);
  const { secretKey, publicKey } = ml_kem1024.keygen(seed);
  wipe(seed);
  return { secretKey, publicKey: concat(Uint8Array.of(typeByte), publicKey) };
}

/**
 * A secret of 32 bytes, and the 1569 bytes that let the owner of `publicKey` find it.
 *
 * @throws ProtocolError `invalid_key` for a key of another type or length, or with coefficients that are not reduced.
 */
export function encapsulate(
  publicKey: Uint8Array,
  random: Platform["random"],
): { ciphertext: Uint8Array; secret: Uint8Array } {
  checkKemPublicKey(publicKey);
  const randomness = random(32);
  let result: ReturnType<typeof ml_kem1024.encapsulate>;
  try {
    result = ml_kem1024.encapsulate(publicKey.subarray(1), randomness);
  } catch (error) {
    throw new ProtocolError("invalid_key", "The Kyber key is not reduced.", { cause: error });
  } finally {
    wipe(randomness);
  }
  const secret = kyberSecret(result.sharedSecret, result.cipherText);
  return { ciphertext: concat(Uint8Array.of(typeByte), result.cipherText), secret };
}

/**
 * The secret of `ciphertext`. One that was made for another key, or altered, gives a secret that nobody knows.
 *
 * @throws ProtocolError `invalid_message` for a ciphertext of another type or length, `invalid_key` for a damaged secret key.
 */
export function decapsulate(secretKey: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  if (ciphertext.length !== wireLength || ciphertext[0] !== typeByte) {
    throw new ProtocolError("invalid_message", "The Kyber ciphertext has a wrong type or length.");
  }
  const raw = ciphertext.subarray(1);
  try {
    return kyberSecret(ml_kem1024.decapsulate(raw, secretKey), raw);
  } catch (error) {
    throw new ProtocolError("invalid_key", "The Kyber secret key is damaged.", { cause: error });
  }
}

/** Refuses public keys of another type or length with a ProtocolError `invalid_key`. */
export function checkKemPublicKey(publicKey: Uint8Array): void {
  if (publicKey.length !== wireLength || publicKey[0] !== typeByte) {
    throw new ProtocolError("invalid_key", "The Kyber key has a wrong type or length.");
  }
}

/**
 * Round 3 of Kyber hashed the ciphertext into the secret (Kyber specification 3.02, algorithms 8 and 9); FIPS 203 dropped
 * that and kept the rest, so the older secret follows from ML-KEM's. Wipes `mlKemSecret`.
 */
function kyberSecret(mlKemSecret: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const secret = shake256(concat(mlKemSecret, sha3_256(ciphertext)), { dkLen: 32 });
  wipe(mlKemSecret);
  return secret;
}
