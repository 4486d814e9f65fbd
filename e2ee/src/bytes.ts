import { utf8ToBytes } from "@noble/hashes/utils.js";

/** The parts one after the other, in a new array. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Whether both hold the same bytes. The time depends on the lengths alone. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let index = 0; index < a.length; index++) difference |= a[index]! ^ b[index]!;
  return difference === 0;
}

/** Overwrites secrets that leave use. The engine's own copies, that is: a JavaScript runtime may have made others. */
export function wipe(...secrets: readonly (Uint8Array | Uint16Array | null | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

/** `value` as 4 bytes, big-endian. */
export function be32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** `value`, a safe integer, as 8 bytes, big-endian. */
export function be64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(value / 0x1_0000_0000));
  view.setUint32(4, value % 0x1_0000_0000);
  return bytes;
}

/** The bytes of `text` in UTF-8. */
export function utf8(text: string): Uint8Array {
  return utf8ToBytes(text);
}
