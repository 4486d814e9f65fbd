import { concat } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { chunkIndices, chunkLength } from "./erasure.ts";

/** The types that carry a chunk, by their number on the wire. 0 and 4 carry none. */
const chunkTypes = { 1: "header", 2: "vector", 3: "vectorCt1Acked", 5: "ct1", 6: "ct2" } as const;
const typeNumbers = { none: 0, header: 1, vector: 2, vectorCt1Acked: 3, ct1Acked: 4, ct1: 5, ct2: 6 } as const;

type ChunkType = (typeof chunkTypes)[keyof typeof chunkTypes];

/** What a message does for the key exchange of its epoch (ML-KEM Braid, 2.4). */
export type Step =
  | { readonly type: "none" | "ct1Acked" }
  | { readonly type: ChunkType; readonly index: number; readonly chunk: Uint8Array };

/** What travels beside a ciphertext: the epoch being agreed, the number of the message key, and a step. */
export interface SpqrMessage {
  /** At least 1. The message key is of the chain of the epoch before. */
  readonly epoch: number;
  /** At least 1. */
  readonly index: number;
  readonly step: Step;
}

const version = 1;
/** Indices are counted in 32 bits, as the key derivation of the chain has them. */
const maxIndex = 0xffff_ffff;

export function encodeMessage({ epoch, index, step }: SpqrMessage): Uint8Array {
  const head = [version, ...varint(epoch), ...varint(index), typeNumbers[step.type]];
  if (!("chunk" in step)) return Uint8Array.from(head);
  return concat(Uint8Array.from([...head, ...varint(step.index)]), step.chunk);
}

/**
 * Reads a message of version 1. No other version exists for us: a peer that speaks none would take the post-quantum part
 * away from a session.
 *
 * @throws ProtocolError `invalid_message`.
 */
export function decodeMessage(bytes: Uint8Array): SpqrMessage {
  if (bytes[0] !== version) throw new ProtocolError("invalid_message", "The ratchet message is of an unknown version.");
  const epoch = readVarint(bytes, 1, Number.MAX_SAFE_INTEGER - 1);
  const index = readVarint(bytes, epoch.end, maxIndex);
  const type = bytes[index.end];
  if (epoch.value < 1 || index.value < 1 || type === undefined) throw malformed();
  if (type === typeNumbers.none || type === typeNumbers.ct1Acked) {
    if (bytes.length !== index.end + 1) throw malformed();
    const step: Step = { type: type === typeNumbers.none ? "none" : "ct1Acked" };
    return { epoch: epoch.value, index: index.value, step };
  }
  if (!isChunkType(type)) throw malformed();
  const chunkIndex = readVarint(bytes, index.end + 1, chunkIndices - 1);
  if (bytes.length !== chunkIndex.end + chunkLength) throw malformed();
  const step: Step = { type: chunkTypes[type], index: chunkIndex.value, chunk: bytes.slice(chunkIndex.end) };
  return { epoch: epoch.value, index: index.value, step };
}

function isChunkType(type: number): type is keyof typeof chunkTypes {
  return type in chunkTypes;
}

function malformed(): ProtocolError {
  return new ProtocolError("invalid_message", "The ratchet message is malformed.");
}

/** Seven bits a byte, the lowest first; the top bit says that more follow. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}

function readVarint(bytes: Uint8Array, start: number, max: number): { value: number; end: number } {
  let value = 0;
  let scale = 1;
  for (let end = start; end < bytes.length; end++) {
    const byte = bytes[end]!;
    value += (byte & 0x7f) * scale;
    if (value > max) throw malformed();
    if (byte < 0x80) {
      // A last byte of zero would be a second spelling of the same number.
      if (byte === 0 && end > start) throw malformed();
      return { value, end: end + 1 };
    }
    scale *= 0x80;
    // Zeros that go on for ever stay below `max`.
    if (end - start >= 8) throw malformed();
  }
  throw malformed();
}
