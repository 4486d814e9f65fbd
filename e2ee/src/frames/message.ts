import { be64, concat } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { FixedReader } from "../fixed-layout.ts";
import { uuidBytes } from "./member.ts";
import { type FrameKey, secretLength } from "./schedule.ts";

/*
 * version 1 ‖ kind 1 ‖ call 16 ‖ join of who writes 16 ‖ …
 *   1 offer: epoch 8 ‖ step 1 ‖ secret 32 ‖ commitment 32
 *   2 acknowledgement: join of whose key it is 16 ‖ epoch 8
 *   3 want: join of whose key it is 16
 *
 * Carried inside the pairwise sessions, which say who wrote it. The same bytes go to all whom they are for.
 */
const version = 1;
const kinds = { offer: 1, ack: 2, want: 3 } as const;
const commitmentLength = 32;

interface FromStay {
  readonly callId: string;
  /** The stay of the device that writes. */
  readonly joinId: string;
}

/** "This is what I encrypt with": to be used from whenever frames name it. */
export interface Offer extends FromStay, FrameKey {
  readonly kind: "offer";
  /** Of the key's step 0: 32 bytes. */
  readonly commitment: Uint8Array;
}

/** "I have your key of this epoch." */
export interface Ack extends FromStay {
  readonly kind: "ack";
  readonly of: string;
  readonly epoch: number;
}

/** "I have no key for your frames." */
export interface Want extends FromStay {
  readonly kind: "want";
  readonly of: string;
}

export type CallMessage = Offer | Ack | Want;

export function encodeCallMessage(message: CallMessage): Uint8Array {
  const head = concat(
    Uint8Array.of(version, kinds[message.kind]),
    uuidBytes(message.callId),
    uuidBytes(message.joinId),
  );
  if (message.kind === "offer") {
    return concat(head, be64(message.epoch), Uint8Array.of(message.step), message.secret, message.commitment);
  }
  const of = uuidBytes(message.of);
  return message.kind === "ack" ? concat(head, of, be64(message.epoch)) : concat(head, of);
}

/**
 * Reads a message; the byte strings are copies.
 *
 * @throws ProtocolError `unsupported_version`, and `invalid_message` for whatever else is none.
 */
export function decodeCallMessage(bytes: Uint8Array): CallMessage {
  if (bytes.length > 0 && bytes[0] !== version) {
    throw new ProtocolError("unsupported_version", "The call message is of another version.");
  }
  const reader = new FixedReader(bytes.subarray(1), malformed);
  const kind = reader.number(1);
  const from = { callId: readUuid(reader), joinId: readUuid(reader) };
  const message = readRest(reader, kind, from);
  reader.end();
  return message;
}

function readRest(reader: FixedReader, kind: number, from: FromStay): CallMessage {
  switch (kind) {
    case kinds.offer: {
      const epoch = readEpoch(reader);
      const step = reader.number(1);
      const secret = reader.take(secretLength);
      return { kind: "offer", ...from, epoch, step, secret, commitment: reader.take(commitmentLength) };
    }
    case kinds.ack:
      return { kind: "ack", ...from, of: readUuid(reader), epoch: readEpoch(reader) };
    case kinds.want:
      return { kind: "want", ...from, of: readUuid(reader) };
    default:
      throw malformed("its kind is not known");
  }
}

function readUuid(reader: FixedReader): string {
  const hex = [...reader.take(16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function readEpoch(reader: FixedReader): number {
  const epoch = reader.big();
  if (epoch > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed("its epoch is too large");
  return Number(epoch);
}

function malformed(part: string): ProtocolError {
  return new ProtocolError("invalid_message", `This is no call message: ${part}.`);
}
