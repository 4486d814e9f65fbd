import { be32 } from "../bytes.ts";
import { paddedLength } from "../padding.ts";
import { nonceLength, tagLength } from "../primitives/aes-gcm.ts";

/*
 * header: version 1 ‖ log2 of the chunk size
 * chunks: AES-256-GCM of a chunk's plaintext each, all full but the last one, which is empty only in an empty file
 *   nonce: 7 zeros ‖ counter 4, from 0 ‖ 1 in the last chunk, else 0        additional data: the header
 *
 * This is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance",
 * 2015) with a key for each file, which is why the nonce needs no random part.
 */
export const version = 1;
export const headerLength = 2;
/** 64 KiB: the cost of a call of WebCrypto disappears, and no chunk keeps a thread for a millisecond. */
export const defaultChunkSizeLog2 = 16;
export const minChunkSizeLog2 = 12;
export const maxChunkSizeLog2 = 20;
/** The counter has 4 bytes. */
export const maxChunks = 2 ** 32;

export function headerOf(chunkSizeLog2: number): Uint8Array {
  return Uint8Array.of(version, chunkSizeLog2);
}

export function nonceOf(index: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(nonceLength);
  nonce.set(be32(index), 7);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** The most that an encrypted file of `lengthBytes` can take: padded, in the smallest chunks. For the limit of an upload. */
export function maxSealedBytes(lengthBytes: number): number {
  const padded = paddedLength(lengthBytes);
  return headerLength + padded + Math.ceil(padded / 2 ** minChunkSizeLog2) * tagLength;
}
