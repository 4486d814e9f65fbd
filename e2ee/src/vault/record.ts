import { be32, concat, utf8, wipe } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { paddedLength } from "../padding.ts";
import { decryptGcm, encryptGcm, type GcmKey, nonceLength, tagLength } from "../primitives/aes-gcm.ts";
import type { Platform } from "../platform.ts";

/*
 * format 1 ‖ nonce 12 ‖ AES-256-GCM(length 4 ‖ content ‖ zeros)
 *   additional data: "LesCopains vault record 1\0" ‖ account 16 ‖ version 8 ‖ name
 *
 * Random nonces are safe for 2^32 records under a key (SP 800-38D, 8.3): a history takes millions.
 */
const format = 1;
const lengthPrefix = 4;
const domain = utf8("LesCopains vault record 1\0");
const maxNameBytes = 200;
/** Larger things are attachments. */
export const maxRecordBytes = 8 * 2 ** 20;
const maxSealedBytes = 1 + nonceLength + paddedLength(lengthPrefix + maxRecordBytes) + tagLength;

/** Where a record stands. A record opens under no other name and as no other version of itself. */
export interface RecordPlace {
  /** UUID, 16 bytes. */
  readonly accountId: Uint8Array;
  /** For instance "identity" or "history/0042": 1 to 200 bytes of UTF-8. The server sees it. */
  readonly name: string;
  /** From 1, higher each time the record is written. 63 bits. */
  readonly version: bigint;
}

/**
 * `content` for the server to keep. Its length is padded (`paddedLength`).
 *
 * @throws ProtocolError `too_large` beyond 8 MiB.
 */
export async function sealRecord(
  random: Platform["random"],
  wrappingKey: GcmKey,
  place: RecordPlace,
  content: Uint8Array,
): Promise<Uint8Array> {
  if (content.length > maxRecordBytes) throw new ProtocolError("too_large", "The record is larger than allowed.");
  const plaintext = new Uint8Array(paddedLength(lengthPrefix + content.length));
  plaintext.set(be32(content.length));
  plaintext.set(content, lengthPrefix);
  const nonce = random(nonceLength);
  const sealed = await encryptGcm(wrappingKey, nonce, plaintext, additionalData(place));
  wipe(plaintext);
  return concat(Uint8Array.of(format), nonce, sealed);
}

/**
 * The content of a record. That `place.version` is the newest is for the caller to know: a server can keep an old one.
 *
 * @throws ProtocolError `damaged` when anything, its place included, differs from what was sealed; `too_large`.
 */
export async function openRecord(wrappingKey: GcmKey, place: RecordPlace, sealed: Uint8Array): Promise<Uint8Array> {
  if (sealed.length > maxSealedBytes) throw new ProtocolError("too_large", "The record is larger than allowed.");
  if (sealed[0] !== format || sealed.length < 1 + nonceLength + tagLength) throw damaged();
  const nonce = sealed.subarray(1, 1 + nonceLength);
  const plaintext = await decryptGcm(wrappingKey, nonce, sealed.subarray(1 + nonceLength), additionalData(place));
  if (plaintext.length < lengthPrefix) throw damaged();
  const length = new DataView(plaintext.buffer, plaintext.byteOffset).getUint32(0);
  if (length > plaintext.length - lengthPrefix) throw damaged();
  return plaintext.subarray(lengthPrefix, lengthPrefix + length);
}

function additionalData({ accountId, name, version }: RecordPlace): Uint8Array {
  const encodedName = utf8(name);
  const isNamed = encodedName.length >= 1 && encodedName.length <= maxNameBytes;
  if (accountId.length !== 16 || !isNamed || version < 1n || version >= 2n ** 63n) {
    throw new RangeError("A record has an account, a name of 1 to 200 bytes and a version from 1.");
  }
  const high = Number(version >> 32n);
  const low = Number(version & 0xffff_ffffn);
  return concat(domain, accountId, be32(high), be32(low), encodedName);
}

function damaged(): ProtocolError {
  return new ProtocolError("damaged", "The record is not what was sealed.");
}
