import { sha256 } from "@noble/hashes/sha2.js";
import { wipe } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { paddedLength } from "../padding.ts";
import { encryptGcm, type GcmSubtle, importGcmKey } from "../primitives/aes-gcm.ts";
import type { Platform } from "../platform.ts";
import { BlockCutter } from "./blocks.ts";
import { defaultChunkSizeLog2, headerOf, maxChunkSizeLog2, maxChunks, minChunkSizeLog2, nonceOf } from "./format.ts";

/** What the message must carry so that its readers can open the file. */
export interface AttachmentSecret {
  /** 32 bytes, for this file alone. */
  readonly key: Uint8Array;
  /**
   * SHA-256 of the encrypted file, 32 bytes. It binds the file to the message: without it a sender could show two people two files,
   * since one AES-GCM text can be made to fit two keys.
   */
  readonly digest: Uint8Array;
  /** Of the file. */
  readonly lengthBytes: number;
  /** Of the encrypted file, padding included. */
  readonly sealedBytes: number;
}

export interface SealOptions {
  /** A file of more bytes is refused. */
  readonly maxBytes: number;
  /** Whether zeros are added so that the length says less (`paddedLength`). True unless said otherwise. */
  readonly padded?: boolean;
  /** 12 to 20: chunks of 4 KiB to 1 MiB. 16 unless said otherwise. */
  readonly chunkSizeLog2?: number;
}

/** A file that is encrypted while it is read. */
export interface SealedAttachment {
  /** To be read once, to its end. */
  readonly ciphertext: AsyncGenerator<Uint8Array, void>;
  /** `null` until `ciphertext` came to its end. */
  readonly secret: () => AttachmentSecret | null;
}

/**
 * Encrypts a file with a key of its own, in chunks: memory does not grow with it. A `ReadableStream` is a source, and
 * `ReadableStream.from(ciphertext)` one again. The pieces of `source` are left as they are.
 *
 * Reading throws ProtocolError `too_large`, and whatever `source` throws.
 */
export function sealAttachment(
  { random, subtle }: { readonly random: Platform["random"]; readonly subtle: GcmSubtle },
  source: AsyncIterable<Uint8Array>,
  options: SealOptions,
): SealedAttachment {
  const log2 = options.chunkSizeLog2 ?? defaultChunkSizeLog2;
  if (!Number.isInteger(log2) || log2 < minChunkSizeLog2 || log2 > maxChunkSizeLog2) {
    throw new RangeError("chunkSizeLog2 is 12 to 20.");
  }
  let secret: AttachmentSecret | null = null;

  async function* seal(): AsyncGenerator<Uint8Array, void> {
    const key = random(32);
    const gcmKey = await importGcmKey(subtle, key);
    const header = headerOf(log2);
    const digest = sha256.create().update(header);
    const cutter = new BlockCutter(2 ** log2);
    const plaintext = new CountedSource(source, options);
    let sealedBytes = header.length;
    let index = 0;

    async function chunk(block: Uint8Array, isLast: boolean): Promise<Uint8Array> {
      if (index === maxChunks) throw new ProtocolError("too_large", "The file has too many chunks.");
      const sealed = await encryptGcm(gcmKey, nonceOf(index, isLast), block, header);
      wipe(block);
      digest.update(sealed);
      sealedBytes += sealed.length;
      index++;
      return sealed;
    }

    yield header;
    for await (const piece of plaintext.pieces()) {
      for (const block of cutter.push(piece)) yield await chunk(block, false);
    }
    const last = await chunk(cutter.last(), true);
    secret = { key, digest: digest.digest(), lengthBytes: plaintext.lengthBytes, sealedBytes };
    yield last;
  }

  return { ciphertext: seal(), secret: () => secret };
}

const zeros = new Uint8Array(2 ** 16);

/** The pieces of a source, counted and limited, and the zeros after them. */
class CountedSource {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #options: SealOptions;
  lengthBytes = 0;

  constructor(source: AsyncIterable<Uint8Array>, options: SealOptions) {
    this.#source = source;
    this.#options = options;
  }

  async *pieces(): AsyncGenerator<Uint8Array, void> {
    for await (const piece of this.#source) {
      this.lengthBytes += piece.length;
      if (this.lengthBytes > this.#options.maxBytes) {
        throw new ProtocolError("too_large", "The file is larger than allowed.");
      }
      yield piece;
    }
    if (this.#options.padded === false) return;
    for (let left = paddedLength(this.lengthBytes) - this.lengthBytes; left > 0; left -= zeros.length) {
      yield zeros.subarray(0, Math.min(left, zeros.length));
    }
  }
}
