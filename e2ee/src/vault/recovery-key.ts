import { sha256 } from "@noble/hashes/sha2.js";
import { concat, equal, utf8, wipe } from "../bytes.ts";
import type { Platform } from "../platform.ts";

/** Crockford's base32: no I, L, O, U. */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const keyLength = 32;
const checksumLength = 3;
/** 35 bytes are 56 characters, to the bit: there is one way to write a key. */
const characters = 56;
const separator = /[\s\p{Dash}.,;:_\u200b\ufeff]/u;
const checksumDomain = utf8("LesCopains recovery key 1\0");

/** 32 random bytes: whoever has them, and the account's sign-in, has everything. */
export function generateRecoveryKey(random: Platform["random"]): Uint8Array {
  return random(keyLength);
}

/** 14 groups of 4 characters, "XK3M-…": the key and 24 bits of a checksum, to be written down. */
export function formatRecoveryKey(key: Uint8Array): string {
  const bytes = concat(key, checksumOf(key));
  let text = "";
  let bits = 0;
  let pending = 0;
  for (const byte of bytes) {
    pending = (pending << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet.charAt((pending >>> bits) & 31);
    }
    pending &= (1 << bits) - 1;
  }
  wipe(bytes);
  return text.match(/.{4}/g)?.join("-") ?? "";
}

/**
 * What a person typed. `character`: the `at`-th character (from 0, of `text`) is none of the alphabet. `length`: `count` characters
 * instead of 56. `checksum`: a mistake somewhere.
 */
export type ParsedRecoveryKey =
  | { readonly ok: true; readonly key: Uint8Array }
  | { readonly ok: false; readonly reason: "character"; readonly at: number }
  | { readonly ok: false; readonly reason: "length"; readonly count: number }
  | { readonly ok: false; readonly reason: "checksum" };

/** Reads a key with either case, any spaces and dashes, O for 0, and I or L for 1. A wrong key passes once in 16 million times. */
export function parseRecoveryKey(text: string): ParsedRecoveryKey {
  const bytes = new Uint8Array(keyLength + checksumLength);
  let count = 0;
  let bits = 0;
  let pending = 0;
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (separator.test(character)) continue;
    const value = valueOf(character);
    if (value < 0) return { ok: false, reason: "character", at };
    count++;
    if (count > characters) continue;
    pending = (pending << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[length++] = pending >>> bits;
      pending &= (1 << bits) - 1;
    }
  }
  if (count !== characters) return { ok: false, reason: "length", count };
  const key = bytes.slice(0, keyLength);
  const isRight = equal(checksumOf(key), bytes.subarray(keyLength));
  wipe(bytes);
  return isRight ? { ok: true, key } : { ok: false, reason: "checksum" };
}

function valueOf(character: string): number {
  const upper = character.toUpperCase();
  if (upper === "O") return 0;
  if (upper === "I" || upper === "L") return 1;
  return upper.length === 1 ? alphabet.indexOf(upper) : -1;
}

function checksumOf(key: Uint8Array): Uint8Array {
  return sha256(concat(checksumDomain, key)).subarray(0, checksumLength);
}
