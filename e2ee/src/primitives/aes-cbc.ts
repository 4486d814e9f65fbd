import { cbc } from "@noble/ciphers/aes.js";
import { ProtocolError } from "../errors.ts";

/** AES-256-CBC with PKCS #7 padding (SP 800-38A; RFC 5652, 6.3): `key` of 32 bytes, `iv` of 16, never used twice together. */
export function encryptCbc(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
  return cbc(key, iv).encrypt(plaintext);
}

/**
 * The other way. Only for ciphertexts whose MAC was checked: a wrong padding says so.
 *
 * @throws ProtocolError `invalid_message` when the length or the padding is wrong.
 */
export function decryptCbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  try {
    return cbc(key, iv).decrypt(ciphertext);
  } catch (error) {
    throw new ProtocolError("invalid_message", "The ciphertext has a wrong length or padding.", { cause: error });
  }
}
