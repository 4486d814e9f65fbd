import { be32, be64, concat } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { ct1Length, encapsulationLength, headerLength, secretKeyLength, vectorLength } from "../primitives/mlkem768.ts";
import { type Braid, ct2Payload, headerPayload, type Phase } from "./braid.ts";
import { type Chain, type ChainEpoch, maxSkipped, skippedLength } from "./chain.ts";
import { chunkLength, entryLength } from "./erasure.ts";
import type { SpqrState } from "./ratchet.ts";

/*
 * How a state is stored. The form is ours: a version, then fields of fixed length, lists behind their count in 16 bits.
 */

const version = 1;

/** Bytes of a fixed length, chunks towards a payload of a length, or the index of the next chunk. */
type Shape = { readonly bytes: number } | { readonly chunksOf: number } | "index";

type PhaseNamed<Name> = Extract<Phase, { readonly name: Name }>;

/** The fields of every phase, in the order in which they are stored. The order of the phases is part of the form. */
const shapes: {
  readonly [Name in Phase["name"]]: { readonly [Field in Exclude<keyof PhaseNamed<Name>, "name">]: Shape };
} = {
  keysUnsampled: {},
  keysSampled: { secretKey: { bytes: secretKeyLength }, header: { bytes: headerPayload }, sent: "index" },
  headerSent: { secretKey: { bytes: secretKeyLength }, ct1Chunks: { chunksOf: ct1Length }, sent: "index" },
  ct1Received: { secretKey: { bytes: secretKeyLength }, ct1: { bytes: ct1Length }, sent: "index" },
  ekSentCt1Received: {
    secretKey: { bytes: secretKeyLength },
    ct1: { bytes: ct1Length },
    ct2Chunks: { chunksOf: ct2Payload },
  },
  noHeaderReceived: { headerChunks: { chunksOf: headerPayload } },
  headerReceived: { header: { bytes: headerLength } },
  ct1Sampled: {
    header: { bytes: headerLength },
    encapsulation: { bytes: encapsulationLength },
    ct1: { bytes: ct1Length },
    vectorChunks: { chunksOf: vectorLength },
    sent: "index",
  },
  ekReceivedCt1Sampled: { ct1: { bytes: ct1Length }, ct2: { bytes: ct2Payload }, sent: "index" },
  ct1Acknowledged: {
    header: { bytes: headerLength },
    encapsulation: { bytes: encapsulationLength },
    ct1: { bytes: ct1Length },
    vectorChunks: { chunksOf: vectorLength },
  },
  ct2Sampled: { ct2: { bytes: ct2Payload }, sent: "index" },
};
const names = Object.keys(shapes) as Phase["name"][];

function fieldsOf(name: Phase["name"]): [string, Shape][] {
  return Object.entries<Shape>(shapes[name]);
}

/** The bytes of a state, secrets included. */
export function encodeSpqr({ role, braid, chain }: SpqrState): Uint8Array {
  const { root, macKey } = braid.authenticator;
  const parts = [Uint8Array.of(version, role === "initiator" ? 0 : 1), be64(braid.epoch), root, macKey];
  encodePhase(braid.phase, parts);
  parts.push(chain.root, Uint8Array.of(chain.epochs.length));
  for (const { epoch, send, receive } of chain.epochs) {
    parts.push(be64(epoch), Uint8Array.of(send === null ? 0 : 1));
    if (send !== null) parts.push(send.next, be32(send.count));
    parts.push(receive.next, be32(receive.count), be16(receive.skipped.length / skippedLength), receive.skipped);
  }
  return concat(...parts);
}

function encodePhase(phase: Phase, parts: Uint8Array[]): void {
  parts.push(Uint8Array.of(names.indexOf(phase.name)));
  const values = new Map<string, unknown>(Object.entries(phase));
  for (const [field, shape] of fieldsOf(phase.name)) {
    if (shape === "index") parts.push(be16(values.get(field) as number));
    else {
      const bytes = values.get(field) as Uint8Array;
      if ("chunksOf" in shape) parts.push(be16(bytes.length / entryLength));
      parts.push(bytes);
    }
  }
}

function be16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

/**
 * The state that `bytes` hold.
 *
 * @throws ProtocolError `invalid_record` for bytes that are no state.
 */
export function decodeSpqr(bytes: Uint8Array): SpqrState {
  const reader = new Reader(bytes);
  if (reader.byte() !== version) throw invalidRecord();
  const roleByte = reader.byte();
  if (roleByte > 1) throw invalidRecord();
  const epoch = reader.be64();
  const authenticator = { root: reader.bytes(32), macKey: reader.bytes(32) };
  const braid: Braid = { epoch, authenticator, phase: decodePhase(reader) };
  const chain: Chain = { root: reader.bytes(32), epochs: decodeEpochs(reader) };
  reader.end();
  checkEpochs(braid, chain);
  return { role: roleByte === 0 ? "initiator" : "responder", braid, chain };
}

function decodePhase(reader: Reader): Phase {
  const name = names[reader.byte()];
  if (name === undefined) throw invalidRecord();
  const phase: Record<string, unknown> = { name };
  for (const [field, shape] of fieldsOf(name)) {
    if (shape === "index") phase[field] = reader.be16();
    else phase[field] = "bytes" in shape ? reader.bytes(shape.bytes) : decodeChunks(reader, shape.chunksOf);
  }
  return phase as unknown as Phase;
}

/** Fewer chunks than the payload has, since the last one would have completed it, and all different. */
function decodeChunks(reader: Reader, payloadLength: number): Uint8Array {
  const count = reader.be16();
  if (count >= payloadLength / chunkLength) throw invalidRecord();
  const chunks = reader.bytes(count * entryLength);
  const indices = new Set<number>();
  for (let at = 0; at < chunks.length; at += entryLength) indices.add((chunks[at]! << 8) | chunks[at + 1]!);
  if (indices.size !== count) throw invalidRecord();
  return chunks;
}

function decodeEpochs(reader: Reader): ChainEpoch[] {
  return Array.from({ length: reader.byte() }, () => {
    const epoch = reader.be64();
    const sends = reader.byte();
    if (sends > 1) throw invalidRecord();
    const send = sends === 0 ? null : { next: reader.bytes(32), count: reader.be32() };
    const next = reader.bytes(32);
    const count = reader.be32();
    const skippedCount = reader.be16();
    if (skippedCount > maxSkipped) throw invalidRecord();
    return { epoch, send, receive: { next, count, skipped: reader.bytes(skippedCount * skippedLength) } };
  });
}

/** The chains have no holes, end with what the braid has agreed, and can send in the epoch before its own. */
function checkEpochs({ epoch }: Braid, { epochs }: Chain): void {
  const newest = epochs.at(-1)?.epoch;
  const sending = epochs.find((candidate) => candidate.epoch === epoch - 1);
  const whole = epochs.every((candidate, index) => candidate.epoch === epochs[0]!.epoch + index);
  if (!whole || sending?.send == null || (newest !== epoch && newest !== epoch - 1)) throw invalidRecord();
}

/** Reads from the front; what it gives are copies, so that wiping one field never touches another. */
class Reader {
  #at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  bytes(length: number): Uint8Array {
    return this.#bytes.slice(this.#skip(length), this.#at);
  }

  byte(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  be16(): number {
    return this.#view.getUint16(this.#skip(2));
  }

  be32(): number {
    return this.#view.getUint32(this.#skip(4));
  }

  be64(): number {
    const value = this.be32() * 0x1_0000_0000 + this.be32();
    if (value >= Number.MAX_SAFE_INTEGER) throw invalidRecord();
    return value;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw invalidRecord();
  }

  /** Passes over `length` bytes and gives where they began. */
  #skip(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw invalidRecord();
    this.#at += length;
    return start;
  }
}

function invalidRecord(): ProtocolError {
  return new ProtocolError("invalid_record", "The stored ratchet state cannot be read.");
}
