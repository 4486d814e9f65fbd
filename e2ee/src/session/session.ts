import { equal } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import type { KeyPair } from "../primitives/curve.ts";
import type { KemKeyPair } from "../primitives/kyber1024.ts";
import type { Platform } from "../platform.ts";
import {
  decodePreKeySignalMessage,
  decodeSignalMessage,
  encodePreKeySignalMessage,
  messageType,
} from "../wire/messages.ts";
import type { PreKeySignalMessage, ReceivedSignalMessage } from "../wire/messages.ts";
import { encodeAddresses } from "./address.ts";
import type { Address } from "./address.ts";
import type { PreKeyBundle } from "./bundle.ts";
import { initiate, respond } from "./pqxdh.ts";
import type { LocalIdentity } from "./pqxdh.ts";
import { decryptNext, encryptNext } from "./ratchet.ts";
import { findByBaseKey, sessionStatus, statesOf, wipeReplaced, withDecrypted, withNewSession } from "./record.ts";
import type { SessionRecord, SessionState } from "./state.ts";

/** Between whom. The other device may be one of our own: same account, same identity, another device id. */
export interface Conversation {
  readonly platform: Platform;
  readonly local: LocalIdentity & { readonly address: Address };
  readonly remote: Address;
  /**
   * The identity key (33 bytes) that the caller trusts; any other is refused with `untrusted_identity`. Left out, any is
   * accepted, and the answer says which it was.
   */
  readonly trustedIdentity?: Uint8Array | undefined;
}

/** A ciphertext and what it is; both go to the other device as they are. */
export interface Ciphertext {
  readonly type: typeof messageType.whisper | typeof messageType.preKey;
  readonly body: Uint8Array;
}

/**
 * Begins a session with a device from its bundle. An earlier session of the record is archived.
 *
 * @throws ProtocolError `invalid_key`, `invalid_signature` or `untrusted_identity`.
 */
export async function startSession(
  { platform, local, trustedIdentity }: Conversation,
  record: SessionRecord | undefined,
  bundle: PreKeyBundle,
  nowMs: number,
): Promise<SessionRecord> {
  checkTrust(trustedIdentity, bundle.identityKey);
  return withNewSession(record, await initiate(platform, local, bundle, nowMs));
}

/**
 * Encrypts a message. The new record must be stored before the ciphertext leaves: a key must never be used twice.
 *
 * @throws ProtocolError `no_session` when `startSession` is needed first, `untrusted_identity`, `invalid_address`.
 */
export async function encrypt(
  { platform, local, remote, trustedIdentity }: Conversation,
  record: SessionRecord | undefined,
  plaintext: Uint8Array,
  nowMs: number,
): Promise<{ record: SessionRecord; message: Ciphertext }> {
  const current = record?.current;
  const status = sessionStatus(record, nowMs);
  if (current === undefined || status === "none" || status === "expired") {
    throw new ProtocolError("no_session", "There is no session to write with.");
  }
  checkTrust(trustedIdentity, current.remoteIdentity);
  const { unacknowledged } = current;
  const addresses = unacknowledged === undefined ? undefined : encodeAddresses(local.address, remote);
  const { state, message } = encryptNext(platform, current, plaintext, addresses);
  return { record: { ...record, current: state, archived: record?.archived ?? [] }, message: wrap(state, message) };
}

function wrap(state: SessionState, message: Uint8Array): Ciphertext {
  if (state.unacknowledged === undefined) return { type: messageType.whisper, body: message };
  const { preKeyId, signedPreKeyId, kyberPreKeyId, kyberCiphertext } = state.unacknowledged;
  const body = encodePreKeySignalMessage({
    registrationId: state.localRegistrationId,
    preKeyId,
    signedPreKeyId,
    kyberPreKeyId,
    kyberCiphertext,
    baseKey: state.baseKey,
    identityKey: state.localIdentity,
    message,
  });
  return { type: messageType.preKey, body };
}

/** Where our own prekeys are looked up, by the ids that a message names. A failure to read is an exception, not undefined. */
export interface LocalPreKeys {
  readonly preKey: (id: number) => Promise<KeyPair | undefined>;
  readonly signedPreKey: (id: number) => Promise<KeyPair | undefined>;
  readonly kyberPreKey: (id: number) => Promise<KemKeyPair | undefined>;
}

/** What a message that began a session has used. */
export interface UsedPreKeys {
  /** A one-time prekey: delete it in the transaction that stores the record. */
  readonly preKeyId: number | undefined;
  readonly signedPreKeyId: number;
  /** Delete it too if it is a one-time prekey. */
  readonly kyberPreKeyId: number;
  /**
   * The sender's ephemeral key. With a Kyber prekey of last resort, remember it as long as that prekey lives, and refuse a
   * message whose session is new but whose base key is not: it is a replay.
   */
  readonly baseKey: Uint8Array;
}

export interface Decrypted {
  readonly record: SessionRecord;
  readonly plaintext: Uint8Array;
  /** Whose message it is. Compare it with the one that is known of this account. */
  readonly identityKey: Uint8Array;
  /** Only when the message began a session. */
  readonly usedPreKeys?: UsedPreKeys | undefined;
}

/**
 * Decrypts a message. Store the new record (and the loss of used prekeys) in one transaction before showing the plaintext. A
 * refused message changes nothing.
 *
 * @throws ProtocolError `duplicate_message` (forget it), `no_session`, `unknown_prekey`, `invalid_message`, `message_too_old`,
 * `message_too_far`, `invalid_key`, `unsupported_version` (ask for it again: session/retry.ts), `wrong_address`,
 * `untrusted_identity`, `invalid_record`.
 */
export async function decrypt(
  conversation: Conversation,
  record: SessionRecord | undefined,
  message: { readonly type: number; readonly body: Uint8Array },
  preKeys: LocalPreKeys,
): Promise<Decrypted> {
  if (message.type === messageType.whisper) {
    return decryptWhisper(conversation, record, decodeSignalMessage(message.body));
  }
  if (message.type === messageType.preKey) {
    return decryptPreKey(conversation, record, decodePreKeySignalMessage(message.body), preKeys);
  }
  throw new ProtocolError("invalid_message", "The message is of another type.");
}

async function decryptWhisper(
  { platform, trustedIdentity }: Conversation,
  record: SessionRecord | undefined,
  message: ReceivedSignalMessage,
): Promise<Decrypted> {
  if (record === undefined || (record.current === undefined && record.archived.length === 0)) {
    throw new ProtocolError("no_session", "There is no session with this device.");
  }
  let refusal: ProtocolError | undefined;
  for (const located of statesOf(record)) {
    try {
      const { state, plaintext } = await decryptNext(platform, located.state, message);
      checkTrust(trustedIdentity, state.remoteIdentity);
      return { record: withDecrypted(record, located, state), plaintext, identityKey: state.remoteIdentity };
    } catch (error) {
      if (!(error instanceof ProtocolError) || error.code === "untrusted_identity") throw error;
      refusal = moreTelling(refusal, error);
    }
  }
  throw refusal ?? new ProtocolError("no_session", "There is no session with this device.");
}

/** That a message was received before says more than that it is not of an older session. */
function moreTelling(before: ProtocolError | undefined, error: ProtocolError): ProtocolError {
  if (before === undefined) return error;
  return before.code !== "duplicate_message" && error.code === "duplicate_message" ? error : before;
}

async function decryptPreKey(
  conversation: Conversation,
  record: SessionRecord | undefined,
  message: PreKeySignalMessage,
  preKeys: LocalPreKeys,
): Promise<Decrypted> {
  const { platform, local, remote, trustedIdentity } = conversation;
  checkTrust(trustedIdentity, message.identityKey);
  const inner = decodeSignalMessage(message.message);
  if (inner.addresses === undefined || !equal(inner.addresses, encodeAddresses(remote, local.address))) {
    throw new ProtocolError("wrong_address", "The message was made for, or by, another device.");
  }
  const located = record === undefined ? undefined : findByBaseKey(record, message.baseKey);
  if (record !== undefined && located !== undefined) {
    if (!equal(located.state.remoteIdentity, message.identityKey)) {
      throw new ProtocolError("invalid_message", "The message names another identity than its session.");
    }
    const { state, plaintext } = await decryptNext(platform, located.state, inner);
    return { record: withDecrypted(record, located, state), plaintext, identityKey: state.remoteIdentity };
  }
  const begun = await respond(platform, local, message, await lookUp(message, preKeys));
  const { state, plaintext } = await decryptNext(platform, begun, inner);
  wipeReplaced({ current: begun, archived: [] }, { current: state, archived: [] });
  const { preKeyId, signedPreKeyId, kyberPreKeyId } = message;
  return {
    record: withNewSession(record, state),
    plaintext,
    identityKey: state.remoteIdentity,
    usedPreKeys: { preKeyId, signedPreKeyId, kyberPreKeyId, baseKey: state.baseKey },
  };
}

async function lookUp(message: PreKeySignalMessage, preKeys: LocalPreKeys) {
  const { preKeyId } = message;
  const [signedPreKey, kyberPreKey, preKey] = await Promise.all([
    preKeys.signedPreKey(message.signedPreKeyId),
    preKeys.kyberPreKey(message.kyberPreKeyId),
    preKeyId === undefined ? undefined : preKeys.preKey(preKeyId),
  ]);
  if (signedPreKey === undefined || kyberPreKey === undefined || (preKeyId !== undefined && preKey === undefined)) {
    throw new ProtocolError("unknown_prekey", "A prekey of the message is no longer there.");
  }
  return { signedPreKey, kyberPreKey, preKey };
}

function checkTrust(trusted: Uint8Array | undefined, identityKey: Uint8Array): void {
  if (trusted !== undefined && !equal(trusted, identityKey)) {
    throw new ProtocolError("untrusted_identity", "The identity key is not the trusted one.");
  }
}
