import { concat, equal } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { checkPublicKey } from "../primitives/curve.ts";
import { hmac } from "../primitives/kdf.ts";
import { bytes, decodeProtobuf, encodeProtobuf, uint32 } from "./protobuf.ts";

/** The numbers that say what a ciphertext is, beside it. */
export const messageType = {
  /** A SignalMessage of a session that both sides have. */
  whisper: 2,
  /** A PreKeySignalMessage: also holds what its recipient needs to make the session. */
  preKey: 3,
  /** Of a group, with its sender's key. */
  senderKey: 7,
  /** Not encrypted: a request to send again what could not be decrypted. */
  plaintext: 8,
} as const;

/** Version 4 in both halves: the message's, and the latest its sender knows. Older ones know no post-quantum ratchet. */
const versionByte = 0x44;
const macLength = 8;
/** A message never holds more than this; longer ones are refused before they are read. */
export const maxMessageBytes = 16 * 1024 * 1024;

/** What travels in a SignalMessage. */
export interface SignalMessage {
  /** The sender's current ratchet key, 33 bytes. */
  readonly ratchetKey: Uint8Array;
  /** Number of the message in its sending chain, from 0. */
  readonly counter: number;
  /** Of the last message in the chain before; informative only. */
  readonly previousCounter: number;
  /** AES-256-CBC. */
  readonly ciphertext: Uint8Array;
  /** The message of the post-quantum ratchet. */
  readonly pqRatchet: Uint8Array;
  /** Who sends to whom (session/address.ts), in messages that begin a session. */
  readonly addresses?: Uint8Array | undefined;
}

const signalMessageShape = {
  ratchetKey: bytes(1),
  counter: uint32(2),
  previousCounter: uint32(3),
  ciphertext: bytes(4),
  pqRatchet: bytes(5),
  addresses: bytes(6),
} as const;

/** The identities (33 bytes each) that a message is bound to, and the key of its MAC (32 bytes). */
export interface MacInput {
  readonly macKey: Uint8Array;
  readonly senderIdentity: Uint8Array;
  readonly receiverIdentity: Uint8Array;
}

/** Double Ratchet, 5.2: the MAC covers both identities and all that is sent, and is cut to 8 bytes. */
function macOf({ macKey, senderIdentity, receiverIdentity }: MacInput, covered: Uint8Array): Uint8Array {
  return hmac(macKey, senderIdentity, receiverIdentity, covered).subarray(0, macLength);
}

/** version byte ‖ protobuf ‖ MAC */
export function encodeSignalMessage(message: SignalMessage, mac: MacInput): Uint8Array {
  const covered = concat(Uint8Array.of(versionByte), encodeProtobuf(signalMessageShape, message));
  return concat(covered, macOf(mac, covered));
}

/** A SignalMessage as it came in. Nothing of it is to be believed before `hasValidMac`. Views of the bytes it came in. */
export interface ReceivedSignalMessage extends SignalMessage {
  readonly covered: Uint8Array;
  readonly mac: Uint8Array;
}

/** @throws ProtocolError `invalid_message`, `invalid_key` or `unsupported_version`. */
export function decodeSignalMessage(input: Uint8Array): ReceivedSignalMessage {
  checkFrame(input, macLength);
  const covered = input.subarray(0, -macLength);
  const { ratchetKey, counter, ciphertext, pqRatchet, ...rest } = decodeProtobuf(
    signalMessageShape,
    covered.subarray(1),
  );
  if (ratchetKey === undefined || counter === undefined || ciphertext === undefined) {
    throw new ProtocolError("invalid_message", "The message is incomplete.");
  }
  // Without it there is no post-quantum ratchet; whoever strips it must not bring the session down to the classical one.
  if (pqRatchet === undefined || pqRatchet.length === 0) {
    throw new ProtocolError("invalid_message", "The message has no post-quantum ratchet.");
  }
  return {
    ratchetKey: checkPublicKey(ratchetKey),
    counter,
    previousCounter: rest.previousCounter ?? 0,
    ciphertext,
    pqRatchet,
    addresses: rest.addresses,
    covered,
    mac: input.subarray(-macLength),
  };
}

/** Whether the message is from who shares `macKey`, between these identities. */
export function hasValidMac(message: ReceivedSignalMessage, input: MacInput): boolean {
  return equal(macOf(input, message.covered), message.mac);
}

/** A message that begins a session (PQXDH, 3.3): what its recipient needs for the agreement, around a SignalMessage. */
export interface PreKeySignalMessage {
  /** Of the sender's device. */
  readonly registrationId: number;
  /** Which one-time prekey was used, if there was one. */
  readonly preKeyId?: number | undefined;
  readonly signedPreKeyId: number;
  readonly kyberPreKeyId: number;
  /** 1569 bytes. */
  readonly kyberCiphertext: Uint8Array;
  /** The sender's ephemeral key, 33 bytes. */
  readonly baseKey: Uint8Array;
  /** The sender's identity key, 33 bytes. */
  readonly identityKey: Uint8Array;
  /** An encoded SignalMessage. */
  readonly message: Uint8Array;
}

const preKeySignalMessageShape = {
  preKeyId: uint32(1),
  baseKey: bytes(2),
  identityKey: bytes(3),
  message: bytes(4),
  registrationId: uint32(5),
  signedPreKeyId: uint32(6),
  kyberPreKeyId: uint32(7),
  kyberCiphertext: bytes(8),
} as const;

/** version byte ‖ protobuf */
export function encodePreKeySignalMessage(message: PreKeySignalMessage): Uint8Array {
  return concat(Uint8Array.of(versionByte), encodeProtobuf(preKeySignalMessageShape, message));
}

/**
 * Its byte strings are views of `input`.
 *
 * @throws ProtocolError `invalid_message`, `invalid_key` or `unsupported_version`.
 */
export function decodePreKeySignalMessage(input: Uint8Array): PreKeySignalMessage {
  checkFrame(input, 0);
  const fields = decodeProtobuf(preKeySignalMessageShape, input.subarray(1));
  const { baseKey, identityKey, message, signedPreKeyId, kyberPreKeyId, kyberCiphertext } = fields;
  if (
    baseKey === undefined ||
    identityKey === undefined ||
    message === undefined ||
    signedPreKeyId === undefined ||
    kyberPreKeyId === undefined ||
    kyberCiphertext === undefined
  ) {
    throw new ProtocolError("invalid_message", "The message is incomplete.");
  }
  return {
    registrationId: fields.registrationId ?? 0,
    preKeyId: fields.preKeyId,
    signedPreKeyId,
    kyberPreKeyId,
    kyberCiphertext,
    baseKey: checkPublicKey(baseKey),
    identityKey: checkPublicKey(identityKey),
    message,
  };
}

function checkFrame(input: Uint8Array, trailer: number): void {
  if (input.length > maxMessageBytes) throw new ProtocolError("invalid_message", "The message is too long.");
  if (input.length <= 1 + trailer) throw new ProtocolError("invalid_message", "The message is too short.");
  if (input[0] !== versionByte) throw new ProtocolError("unsupported_version", "The message is not of version 4.");
}
