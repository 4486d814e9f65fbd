import { messageKeys, messageSeed } from "@lescopains/e2ee/session/chain";
import { encryptCbc } from "@lescopains/e2ee/primitives/aes-cbc";
import { hmac } from "@lescopains/e2ee/primitives/kdf";
import { sendSpqr } from "@lescopains/e2ee/spqr/ratchet";
import { bytes, decodeProtobuf, encodeProtobuf, uint32 } from "@lescopains/e2ee/wire/protobuf";
import type { Message as Fields } from "@lescopains/e2ee/wire/protobuf";
import type { Address } from "@lescopains/e2ee/session/address";
import type { EngineDevice } from "./engine.ts";
import { text } from "./people.ts";

/** What a dishonest client could send: messages with a right MAC that break one rule. */

export const signalMessageShape = {
  ratchetKey: bytes(1),
  counter: uint32(2),
  previousCounter: uint32(3),
  ciphertext: bytes(4),
  pqRatchet: bytes(5),
  addresses: bytes(6),
} as const;

export const preKeyMessageShape = {
  preKeyId: uint32(1),
  baseKey: bytes(2),
  identityKey: bytes(3),
  message: bytes(4),
  registrationId: uint32(5),
  signedPreKeyId: uint32(6),
  kyberPreKeyId: uint32(7),
  kyberCiphertext: bytes(8),
} as const;

export interface Forgery {
  readonly version?: number;
  readonly counter?: number;
  /** No post-quantum key is mixed in, and no message of that ratchet goes along: how older clients wrote. */
  readonly withoutPostQuantum?: boolean;
  readonly change?: (fields: Fields<typeof signalMessageShape>) => Fields<typeof signalMessageShape>;
}

/** The next message of the engine's current session, with a right MAC. The session itself stays as it was. */
export function forgeWhisper(from: EngineDevice, to: Address, forgery: Forgery = {}): Uint8Array {
  const { version = 0x44, withoutPostQuantum = false, change = (fields) => fields } = forgery;
  const state = from.record(to)?.current;
  if (state === undefined) throw new Error("no session");
  const { chain, ratchetKey, previousCounter } = state.sending;
  const pq = sendSpqr(state.spqr, from.platform.random);
  const pqKey = withoutPostQuantum ? new Uint8Array(0) : pq.key;
  const keys = messageKeys(messageSeed(chain), pqKey);
  const fields = change({
    ratchetKey: ratchetKey.publicKey,
    counter: forgery.counter ?? chain.index,
    previousCounter,
    ciphertext: encryptCbc(keys.cipherKey, keys.iv, text("forged")),
    pqRatchet: withoutPostQuantum ? undefined : pq.message,
  });
  const covered = Buffer.concat([Uint8Array.of(version), encodeProtobuf(signalMessageShape, fields)]);
  const mac = hmac(keys.macKey, state.localIdentity, state.remoteIdentity, covered).subarray(0, 8);
  return Uint8Array.from(Buffer.concat([covered, mac]));
}

/** A PreKey message with some fields changed. */
export function changedPreKeyMessage(
  body: Uint8Array,
  change: (fields: Fields<typeof preKeyMessageShape>) => Fields<typeof preKeyMessageShape>,
  version = 0x44,
): Uint8Array {
  const fields = change(decodeProtobuf(preKeyMessageShape, body.subarray(1)));
  return Uint8Array.from(Buffer.concat([Uint8Array.of(version), encodeProtobuf(preKeyMessageShape, fields)]));
}
