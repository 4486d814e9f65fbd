import type { UserId } from "@lescopains/protocol/ids";
import { macKey } from "./secrets.ts";

const CODES = 10;
const CODE_LENGTH = 10;
/** 32 characters that are not taken for one another on paper: 5 bits each, 50 a code. */
const ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";

/** Ten new recovery codes, `xxxxx-xxxxx`. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: CODES }, () => {
    const bytes = crypto.getRandomValues(new Uint8Array(CODE_LENGTH));
    const code = Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join("");
    return `${code.slice(0, CODE_LENGTH / 2)}-${code.slice(CODE_LENGTH / 2)}`;
  });
}

/**
 * A recovery code as it is stored. 50 random bits need no slow hash, but a key that is not in the database: without it, a dump of the table gives
 * nothing to guess at.
 */
export async function hashRecoveryCode(totpKey: string, userId: UserId, code: string): Promise<Uint8Array> {
  const name = new TextEncoder().encode(`${userId} ${code}`);
  return new Uint8Array(await crypto.subtle.sign("HMAC", await macKey(totpKey, "recovery codes"), name));
}
