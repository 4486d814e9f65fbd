import { sha256 } from "@noble/hashes/sha2.js";
import { equal } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { decryptGcm, type GcmKey, type GcmSubtle, importGcmKey, tagLength } from "../primitives/aes-gcm.ts";
import { BlockCutter } from "./blocks.ts";
import { headerLength, maxChunkSizeLog2, maxSealedBytes, minChunkSizeLog2, nonceOf, version } from "./format.ts";
import type { AttachmentSecret } from "./seal.ts";

/**
 * Decrypts a file while it arrives, in constant memory. Each piece was authenticated in its place; that the file is whole, and the
 * one that the message meant, is known at the end alone: discard everything when the generator throws. A source that is longer than
 * the message says is not read on.
 *
 * Reading throws ProtocolError `too_large` when the message names more than `maxBytes`; `damaged` for a file that was changed, cut or
 * reordered, or is another one; and whatever `source` throws.
 */
export async function* openAttachment(
  { subtle }: { readonly subtle: GcmSubtle },
  source: AsyncIterable<Uint8Array>,
  secret: AttachmentSecret,
  { maxBytes }: { readonly maxBytes: number },
): AsyncGenerator<Uint8Array, void> {
  checkSecret(secret, maxBytes);
  const key = await importGcmKey(subtle, secret.key);
  const digest = sha256.create();
  const file = new Trimmer(secret.lengthBytes);
  let total = 0;
  let head: Uint8Array = new Uint8Array(0);
  let chunks: ChunkReader | null = null;
  for await (const piece of source) {
    total += piece.length;
    if (total > secret.sealedBytes) throw damaged("it is too long");
    digest.update(piece);
    let body = piece;
    if (chunks === null) {
      head = Uint8Array.from([...head, ...piece.subarray(0, headerLength - head.length)]);
      if (head.length < headerLength) continue;
      body = piece.subarray(piece.length - (total - headerLength));
      chunks = new ChunkReader(key, head);
    }
    for (const block of chunks.cutter.push(body)) {
      const wanted = file.take(await chunks.decrypt(block, false));
      if (wanted.length > 0) yield wanted;
    }
  }
  if (chunks === null || total !== secret.sealedBytes) throw damaged("it is too short");
  const wanted = file.take(await chunks.decrypt(chunks.cutter.last(), true));
  if (file.missing > 0) throw damaged("it holds less than the message says");
  if (!equal(digest.digest(), secret.digest)) throw damaged("it is another file");
  if (wanted.length > 0) yield wanted;
}

function checkSecret({ key, digest, lengthBytes, sealedBytes }: AttachmentSecret, maxBytes: number): void {
  const isWhole = Number.isSafeInteger(lengthBytes) && Number.isSafeInteger(sealedBytes) && lengthBytes >= 0;
  if (key.length !== 32 || digest.length !== 32 || !isWhole) throw damaged("the message describes none");
  if (lengthBytes > maxBytes || sealedBytes > maxSealedBytes(maxBytes)) {
    throw new ProtocolError("too_large", "The file is larger than allowed.");
  }
}

class ChunkReader {
  readonly cutter: BlockCutter;
  readonly #key: GcmKey;
  readonly #header: Uint8Array;
  #index = 0;

  constructor(key: GcmKey, header: Uint8Array) {
    const [found, log2 = 0] = header;
    if (found !== version || log2 < minChunkSizeLog2 || log2 > maxChunkSizeLog2) throw damaged("its header");
    this.cutter = new BlockCutter(2 ** log2 + tagLength);
    this.#key = key;
    this.#header = header;
  }

  async decrypt(block: Uint8Array, isLast: boolean): Promise<Uint8Array> {
    // An empty last chunk after others would be a second way to write the same file.
    if (block.length < tagLength || (block.length === tagLength && this.#index > 0)) throw damaged("its end");
    const plaintext = await decryptGcm(this.#key, nonceOf(this.#index, isLast), block, this.#header);
    this.#index++;
    return plaintext;
  }
}

/** Lets the bytes of the file through, and nothing but zeros after them. */
class Trimmer {
  missing: number;

  constructor(length: number) {
    this.missing = length;
  }

  take(plaintext: Uint8Array): Uint8Array {
    const wanted = Math.min(this.missing, plaintext.length);
    this.missing -= wanted;
    if (plaintext.subarray(wanted).some((byte) => byte !== 0)) throw damaged("its padding");
    return plaintext.subarray(0, wanted);
  }
}

function damaged(part: string): ProtocolError {
  return new ProtocolError("damaged", `The encrypted file is damaged: ${part}.`);
}
