import { LIMITS } from "@lescopains/protocol/limits";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** The largest multiple of 62 that a byte holds: bytes beyond it would favour the first letters, and are thrown away. */
const FAIR_BYTES = 256 - (256 % ALPHABET.length);

/** Ten random base-62 characters: about 2^59 codes, not to be guessed. @param random fills an array with random bytes */
export function inviteCode(random: (bytes: Uint8Array) => Uint8Array): string {
  let code = "";
  const bytes = new Uint8Array(LIMITS.inviteCodeLength * 2);
  while (code.length < LIMITS.inviteCodeLength) {
    for (const byte of random(bytes)) {
      if (byte < FAIR_BYTES && code.length < LIMITS.inviteCodeLength) code += ALPHABET.charAt(byte % ALPHABET.length);
    }
  }
  return code;
}
