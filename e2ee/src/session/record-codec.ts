import { ProtocolError } from "../errors.ts";
import { decodeSpqr, encodeSpqr } from "../spqr/codec.ts";
import { bytes, decodeProtobuf, encodeProtobuf, list, uint32, uint64 } from "../wire/protobuf.ts";
import { maxSkipped, skippedEntryBytes } from "./chain.ts";
import { maxArchived, maxReceivingChains } from "./state.ts";
import type { ReceivingChain, SessionRecord, SessionState, Unacknowledged } from "./state.ts";

/** How a session record is stored. A reader refuses every version but its own. */
const version = 1;

const recordShape = { version: uint32(1), current: bytes(2), archived: list(3, maxArchived) } as const;

const stateShape = {
  localIdentity: bytes(1),
  remoteIdentity: bytes(2),
  localRegistrationId: uint32(3),
  remoteRegistrationId: uint32(4),
  baseKey: bytes(5),
  rootKey: bytes(6),
  ratchetPrivateKey: bytes(7),
  ratchetPublicKey: bytes(8),
  sendingKey: bytes(9),
  sendingIndex: uint32(10),
  previousCounter: uint32(11),
  receiving: list(12, maxReceivingChains),
  spqr: bytes(13),
  unacknowledged: bytes(14),
} as const;

const receivingShape = { ratchetKey: bytes(1), key: bytes(2), index: uint32(3), skipped: bytes(4) } as const;

const unacknowledgedShape = {
  preKeyId: uint32(1),
  signedPreKeyId: uint32(2),
  kyberPreKeyId: uint32(3),
  kyberCiphertext: bytes(4),
  createdAtMs: uint64(5),
} as const;

/** For storage. Holds every secret of the sessions: encrypt it. */
export function encodeRecord({ current, archived }: SessionRecord): Uint8Array {
  return encodeProtobuf(recordShape, {
    version,
    current: current === undefined ? undefined : encodeState(current),
    archived,
  });
}

/**
 * Reads what `encodeRecord` wrote; keeps no view of `input`. Archived states are read when they are needed.
 *
 * @throws ProtocolError `invalid_record`: an error to show, never a reason to begin anew.
 */
export function decodeRecord(input: Uint8Array): SessionRecord {
  const fields = reading(() => decodeProtobuf(recordShape, input));
  if (fields.version !== version) throw unreadable();
  return {
    ...(fields.current === undefined ? {} : { current: decodeState(fields.current) }),
    archived: fields.archived.map((state) => state.slice()),
  };
}

export function encodeState(state: SessionState): Uint8Array {
  const { sending, unacknowledged } = state;
  return encodeProtobuf(stateShape, {
    localIdentity: state.localIdentity,
    remoteIdentity: state.remoteIdentity,
    localRegistrationId: state.localRegistrationId,
    remoteRegistrationId: state.remoteRegistrationId,
    baseKey: state.baseKey,
    rootKey: state.rootKey,
    ratchetPrivateKey: sending.ratchetKey.privateKey,
    ratchetPublicKey: sending.ratchetKey.publicKey,
    sendingKey: sending.chain.key,
    sendingIndex: sending.chain.index,
    previousCounter: sending.previousCounter,
    receiving: state.receiving.map(encodeReceiving),
    spqr: encodeSpqr(state.spqr),
    unacknowledged: unacknowledged === undefined ? undefined : encodeProtobuf(unacknowledgedShape, unacknowledged),
  });
}

/** @throws ProtocolError `invalid_record`. */
export function decodeState(input: Uint8Array): SessionState {
  const fields = reading(() => decodeProtobuf(stateShape, input));
  return {
    localIdentity: key(fields.localIdentity, 33),
    remoteIdentity: key(fields.remoteIdentity, 33),
    localRegistrationId: number(fields.localRegistrationId),
    remoteRegistrationId: number(fields.remoteRegistrationId),
    baseKey: key(fields.baseKey, 33),
    rootKey: key(fields.rootKey, 32),
    sending: {
      ratchetKey: { privateKey: key(fields.ratchetPrivateKey, 32), publicKey: key(fields.ratchetPublicKey, 33) },
      chain: { key: key(fields.sendingKey, 32), index: number(fields.sendingIndex) },
      previousCounter: number(fields.previousCounter),
    },
    receiving: fields.receiving.map(decodeReceiving),
    spqr: readSpqr(fields.spqr),
    ...(fields.unacknowledged === undefined ? {} : { unacknowledged: decodeUnacknowledged(fields.unacknowledged) }),
  };
}

/** The base key of an encoded state, without reading the rest. */
export function readBaseKey(input: Uint8Array): Uint8Array {
  return key(reading(() => decodeProtobuf({ baseKey: stateShape.baseKey }, input)).baseKey, 33);
}

function encodeReceiving({ ratchetKey, chain, skipped }: ReceivingChain): Uint8Array {
  return encodeProtobuf(receivingShape, { ratchetKey, ...chain, skipped });
}

function decodeReceiving(input: Uint8Array): ReceivingChain {
  const fields = reading(() => decodeProtobuf(receivingShape, input));
  const skipped = fields.skipped?.slice();
  if (skipped === undefined || skipped.length % skippedEntryBytes !== 0) throw unreadable();
  if (skipped.length > maxSkipped * skippedEntryBytes) throw unreadable();
  return {
    ratchetKey: key(fields.ratchetKey, 33),
    chain: { key: key(fields.key, 32), index: number(fields.index) },
    skipped,
  };
}

function decodeUnacknowledged(input: Uint8Array): Unacknowledged {
  const fields = reading(() => decodeProtobuf(unacknowledgedShape, input));
  return {
    preKeyId: fields.preKeyId,
    signedPreKeyId: number(fields.signedPreKeyId),
    kyberPreKeyId: number(fields.kyberPreKeyId),
    kyberCiphertext: key(fields.kyberCiphertext, 1569),
    createdAtMs: number(fields.createdAtMs),
  };
}

function readSpqr(input: Uint8Array | undefined): SessionState["spqr"] {
  if (input === undefined) throw unreadable();
  return reading(() => decodeSpqr(input));
}

function unreadable(cause?: unknown): ProtocolError {
  return new ProtocolError("invalid_record", "The stored session cannot be read.", { cause });
}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtocolError) throw unreadable(error);
    throw error;
  }
}

/** A copy, of the right length. */
function key(value: Uint8Array | undefined, length: number): Uint8Array {
  if (value?.length !== length) throw unreadable();
  return value.slice();
}

function number(value: number | undefined): number {
  if (value === undefined) throw unreadable();
  return value;
}
