import { hkdf as nobleHkdf } from "@noble/hashes/hkdf.js";
import { hmac as nobleHmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";

/** HKDF with SHA-256 (RFC 5869): `length` bytes, at most 8160. An empty `salt` counts as 32 zeros. */
export function hkdf(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  return nobleHkdf(sha256, ikm, salt, info, length);
}

/** HMAC with SHA-256 (RFC 2104) over the parts of `data` one after the other: 32 bytes. */
export function hmac(key: Uint8Array, ...data: readonly Uint8Array[]): Uint8Array {
  const mac = nobleHmac.create(sha256, key);
  for (const part of data) mac.update(part);
  return mac.digest();
}
