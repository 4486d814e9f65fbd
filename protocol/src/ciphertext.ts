import * as v from "valibot";
import { DeviceId } from "./device-list.ts";
import { UserId } from "./ids.ts";
import { LIMITS } from "./limits.ts";

/** Bytes as base64 (RFC 4648 §4: standard alphabet, padded, unused bits zero), `min` to `max` of them. */
export function base64(min: number, max: number) {
  return v.pipe(
    v.string(),
    v.minLength(Math.ceil(min / 3) * 4),
    v.maxLength(Math.ceil(max / 3) * 4),
    v.base64(),
    v.check((text) => isCanonical(text) && within(byteLength(text), min, max), "not these bytes in base64"),
  );
}

/** Bytes that a base64 text of this alphabet stands for. */
export function byteLength(text: string): number {
  return (text.length / 4) * 3 - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0);
}

function within(count: number, min: number, max: number): boolean {
  return count >= min && count <= max;
}

/** One text for the same bytes: the bits behind the last byte are zero. */
function isCanonical(text: string): boolean {
  if (text.endsWith("==")) return "AQgw".includes(text.at(-3) ?? "");
  return !text.endsWith("=") || "AEIMQUYcgkosw048".includes(text.at(-2) ?? "");
}

/** Types of Signal messages: 2 Whisper, 3 PreKey, 7 SenderKey, 8 Plaintext (a request to send again). */
export const CiphertextType = v.picklist([2, 3, 7, 8]);
export type CiphertextType = v.InferOutput<typeof CiphertextType>;
export const CiphertextBody = base64(1, LIMITS.ciphertextBytes);
export const Ciphertext = v.object({ type: CiphertextType, body: CiphertextBody });
export type Ciphertext = v.InferOutput<typeof Ciphertext>;

/** A ciphertext for one device. */
export const DeviceCiphertext = v.object({ userId: UserId, deviceId: DeviceId, ...Ciphertext.entries });
export type DeviceCiphertext = v.InferOutput<typeof DeviceCiphertext>;
