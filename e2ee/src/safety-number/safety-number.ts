import { digitsOf } from "./digits.ts";
import { fingerprint, type Party } from "./fingerprint.ts";
import { encodeScannable } from "./scannable.ts";
import type { Sha512 } from "./sha512.ts";

/** What two people compare to know that nobody stands between them. */
export interface SafetyNumber {
  /** 60 digits, the same on both sides. */
  readonly digits: string;
  /** 74 bytes for a QR code, which the other side's `compareScannable` judges. */
  readonly scannable: Uint8Array;
}

/**
 * The safety number of two accounts, as Signal computes it (version 2).
 *
 * @param sha512 `webCryptoSha512` in a browser, `nobleSha512` elsewhere.
 * @throws ProtocolError `invalid_key`.
 */
export async function safetyNumber(local: Party, remote: Party, sha512: Sha512): Promise<SafetyNumber> {
  const [ours, theirs] = await Promise.all([fingerprint(local, sha512), fingerprint(remote, sha512)]);
  return { digits: digitsOf(ours, theirs), scannable: encodeScannable(ours, theirs) };
}
