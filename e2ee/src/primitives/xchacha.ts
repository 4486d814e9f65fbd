import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ProtocolError } from "../errors.ts";

/** Long enough to be drawn at random for each text of a key, however many there are. */
export const xchachaNonceLength = 24;
export const xchachaTagLength = 16;

/**
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): `plaintext` encrypted, then the tag. Where WebCrypto cannot be used because it answers
 * later; everything else is sealed with AES-GCM. `key` has 32 bytes, `nonce` 24 and comes once only with this key.
 */
export function encryptXChaCha(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  additionalData: Uint8Array,
): Uint8Array {
  if (key.length !== 32) throw new ProtocolError("invalid_key", "An XChaCha20 key has 32 bytes.");
  return xchacha20poly1305(key, nonce, additionalData).encrypt(plaintext);
}

/**
 * The other way.
 *
 * @throws ProtocolError `damaged` when anything differs from what was encrypted.
 */
export function decryptXChaCha(
  key: Uint8Array,
  nonce: Uint8Array,
  ciphertext: Uint8Array,
  additionalData: Uint8Array,
): Uint8Array {
  if (key.length !== 32) throw new ProtocolError("invalid_key", "An XChaCha20 key has 32 bytes.");
  try {
    return xchacha20poly1305(key, nonce, additionalData).decrypt(ciphertext);
  } catch (error) {
    throw new ProtocolError("damaged", "The ciphertext is not what was encrypted.", { cause: error });
  }
}
