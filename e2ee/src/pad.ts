import { bytesToUtf8 } from "@noble/ciphers/utils.js";
import { concat, utf8, wipe } from "./bytes.ts";
import { ProtocolError } from "./errors.ts";
import type { Platform } from "./platform.ts";
import { decryptXChaCha, encryptXChaCha, xchachaNonceLength, xchachaTagLength } from "./primitives/xchacha.ts";

/*
 * A note: what is typed and has to be on the disk before the browser may do anything else, so that a tab that is killed loses
 * nothing. Nothing here waits for anything.
 *
 *   format 1 ‖ nonce 24 ‖ XChaCha20-Poly1305(text)
 *   additional data: "LesCopains pad 1\0" ‖ place
 */
const format = 1;
const domain = utf8("LesCopains pad 1\0");

/** `text` under `key`, 32 bytes. It opens at the same `place` and nowhere else. */
export function sealNote(random: Platform["random"], key: Uint8Array, place: string, text: string): Uint8Array {
  const nonce = random(xchachaNonceLength);
  const plaintext = utf8(text);
  const sealed = encryptXChaCha(key, nonce, plaintext, concat(domain, utf8(place)));
  wipe(plaintext);
  return concat(Uint8Array.of(format), nonce, sealed);
}

/**
 * The text of a note.
 *
 * @throws ProtocolError `damaged` when anything, its place included, differs from what was sealed.
 */
export function openNote(key: Uint8Array, place: string, sealed: Uint8Array): string {
  if (sealed[0] !== format || sealed.length < 1 + xchachaNonceLength + xchachaTagLength) {
    throw new ProtocolError("damaged", "It is no note.");
  }
  const nonce = sealed.subarray(1, 1 + xchachaNonceLength);
  const plaintext = decryptXChaCha(key, nonce, sealed.subarray(1 + xchachaNonceLength), concat(domain, utf8(place)));
  const text = bytesToUtf8(plaintext);
  wipe(plaintext);
  return text;
}
