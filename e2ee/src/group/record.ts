import { be32, concat } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { FixedReader } from "../fixed-layout.ts";
import {
  maxSkippedKeys,
  maxStates,
  type SenderKeyRecord,
  type SenderKeyState,
  type SkippedSeed,
} from "./sender-key.ts";

/*
 * version 1 ‖ number of states ‖ states, the newest first:
 *   chain id 4 ‖ iteration 4 ‖ chain key 32 ‖ signing key 33 ‖ 0, or 1 ‖ signing private key 32
 *   ‖ number of skipped 2 ‖ (iteration 4 ‖ seed 32) each, ascending
 */
const version = 1;

/** A record as bytes to store, encrypted: it holds keys. At most 5 × (72,000 + 108) bytes. */
export function encodeSenderKeyRecord(record: SenderKeyRecord): Uint8Array {
  return concat(Uint8Array.of(version, record.states.length), ...record.states.flatMap(encodeState));
}

function encodeState(state: SenderKeyState): Uint8Array[] {
  const { signingPrivateKey, skipped } = state;
  return [
    be32(state.chainId),
    be32(state.iteration),
    state.chainKey,
    state.signingKey,
    ...(signingPrivateKey === null ? [Uint8Array.of(0)] : [Uint8Array.of(1), signingPrivateKey]),
    Uint8Array.of(skipped.length >>> 8, skipped.length & 0xff),
    ...skipped.flatMap((entry) => [be32(entry.iteration), entry.seed]),
  ];
}

/**
 * Reads what `encodeSenderKeyRecord` wrote, and nothing else; byte strings are copies.
 *
 * @throws ProtocolError `invalid_record`.
 */
export function decodeSenderKeyRecord(bytes: Uint8Array): SenderKeyRecord {
  const reader = new FixedReader(bytes, unreadable);
  if (reader.number(1) !== version) throw unreadable("version");
  const count = reader.number(1);
  if (count > maxStates) throw unreadable("number of chains");
  const states = Array.from({ length: count }, () => decodeState(reader));
  reader.end();
  if (new Set(states.map((state) => state.chainId)).size !== count) throw unreadable("chain id");
  return { states };
}

function decodeState(reader: FixedReader): SenderKeyState {
  const chainId = reader.number(4);
  const iteration = reader.number(4);
  const chainKey = reader.take(32);
  const signingKey = reader.take(33);
  const flag = reader.number(1);
  if (flag > 1) throw unreadable("flag");
  const signingPrivateKey = flag === 1 ? reader.take(32) : null;
  const count = reader.number(2);
  if (count > maxSkippedKeys) throw unreadable("number of skipped messages");
  const skipped: SkippedSeed[] = [];
  let previous = -1;
  for (let index = 0; index < count; index++) {
    const entry = { iteration: reader.number(4), seed: reader.take(32) };
    if (entry.iteration <= previous || entry.iteration >= iteration) throw unreadable("order of skipped messages");
    previous = entry.iteration;
    skipped.push(entry);
  }
  return { chainId, iteration, chainKey, signingKey, signingPrivateKey, skipped };
}

function unreadable(part: string): ProtocolError {
  return new ProtocolError("invalid_record", `The stored sender key is unreadable: ${part}.`);
}
