import { equal, wipe } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { decryptCbc, encryptCbc } from "../primitives/aes-cbc.ts";
import { agree, generateKeyPair } from "../primitives/curve.ts";
import type { Platform } from "../platform.ts";
import { receiveSpqr, sendSpqr } from "../spqr/ratchet.ts";
import { encodeSignalMessage, hasValidMac } from "../wire/messages.ts";
import type { ReceivedSignalMessage } from "../wire/messages.ts";
import {
  findSkipped,
  maxForwardJump,
  messageKeys,
  messageSeed,
  nextChain,
  rootStep,
  skippedEntryBytes,
  skipTo,
  wipeMessageKeys,
  withoutSkipped,
} from "./chain.ts";
import { maxReceivingChains } from "./state.ts";
import type { ReceivingChain, SessionState } from "./state.ts";

/**
 * The Double Ratchet with the post-quantum ratchet beside it: each message's keys come from both. A state goes in, a new one
 * comes out; when a message is refused there is no new one.
 */

/** Encrypts the next message of a session; `addresses` go along in messages that begin one. */
export function encryptNext(
  platform: Platform,
  state: SessionState,
  plaintext: Uint8Array,
  addresses: Uint8Array | undefined,
): { state: SessionState; message: Uint8Array } {
  const { chain, ratchetKey, previousCounter } = state.sending;
  const { state: spqr, message: pqRatchet, key: pqKey } = sendSpqr(state.spqr, platform.random);
  const seed = messageSeed(chain);
  const keys = messageKeys(seed, pqKey);
  const message = encodeSignalMessage(
    {
      ratchetKey: ratchetKey.publicKey,
      counter: chain.index,
      previousCounter,
      ciphertext: encryptCbc(keys.cipherKey, keys.iv, plaintext),
      pqRatchet,
      addresses,
    },
    { macKey: keys.macKey, senderIdentity: state.localIdentity, receiverIdentity: state.remoteIdentity },
  );
  wipe(seed);
  wipeMessageKeys(keys);
  return { state: { ...state, spqr, sending: { ...state.sending, chain: nextChain(chain) } }, message };
}

/**
 * Decrypts a message of a session.
 *
 * @throws ProtocolError `invalid_message` when it is not of this session, `duplicate_message`, `message_too_old` or
 * `message_too_far`. The given state is as it was.
 */
export async function decryptNext(
  platform: Platform,
  state: SessionState,
  message: ReceivedSignalMessage,
): Promise<{ state: SessionState; plaintext: Uint8Array }> {
  const known = state.receiving.find(({ ratchetKey }) => equal(ratchetKey, message.ratchetKey));
  if (known !== undefined) {
    const { receiving, seed } = takeSeed(known, message.counter);
    const opened = open(state, message, seed);
    const chains = state.receiving.map((chain) => (chain === known ? receiving : chain));
    const next = { ...state, receiving: chains, spqr: opened.spqr, unacknowledged: undefined };
    return { state: next, plaintext: opened.plaintext };
  }
  return decryptFirst(platform, state, message);
}

/**
 * The first message with a new ratchet key: a step of the root chain for receiving, and, once the message proves to be genuine,
 * one for sending (Double Ratchet, 3.5).
 */
async function decryptFirst(
  platform: Platform,
  state: SessionState,
  message: ReceivedSignalMessage,
): Promise<{ state: SessionState; plaintext: Uint8Array }> {
  const agreement = await agree(platform, state.sending.ratchetKey.privateKey, message.ratchetKey);
  const step = rootStep(state.rootKey, agreement);
  try {
    const fresh = { ratchetKey: message.ratchetKey.slice(), chain: step.chain, skipped: new Uint8Array(0) };
    const { receiving, seed } = takeSeed(fresh, message.counter);
    const opened = open(state, message, seed);
    const ratchetKey = await generateKeyPair(platform);
    const sending = rootStep(step.rootKey, await agree(platform, ratchetKey.privateKey, message.ratchetKey));
    const next = {
      ...state,
      rootKey: sending.rootKey,
      receiving: [...state.receiving, receiving].slice(-maxReceivingChains),
      sending: { ratchetKey, chain: sending.chain, previousCounter: Math.max(0, state.sending.chain.index - 1) },
      spqr: opened.spqr,
      unacknowledged: undefined,
    };
    return { state: next, plaintext: opened.plaintext };
  } finally {
    wipe(step.rootKey, step.chain.key);
  }
}

/** The seed of a message, and the chain without it. */
function takeSeed(from: ReceivingChain, counter: number): { receiving: ReceivingChain; seed: Uint8Array } {
  const { chain, skipped } = from;
  if (counter < chain.index) {
    const offset = findSkipped(skipped, counter);
    if (offset === -1) throw new ProtocolError("duplicate_message", "The message was received before.");
    const seed = skipped.slice(offset + 4, offset + skippedEntryBytes);
    return { receiving: { ...from, skipped: withoutSkipped(skipped, offset) }, seed };
  }
  if (counter - chain.index > maxForwardJump) {
    throw new ProtocolError("message_too_far", "The message is too far ahead.");
  }
  const reached = skipTo(chain, skipped, counter);
  const seed = messageSeed(reached.chain);
  const next = nextChain(reached.chain);
  if (reached.chain !== chain) wipe(reached.chain.key);
  return { receiving: { ...from, chain: next, skipped: reached.skipped }, seed };
}

/** Checks and decrypts; wipes `seed`. */
function open(
  state: SessionState,
  message: ReceivedSignalMessage,
  seed: Uint8Array,
): { spqr: SessionState["spqr"]; plaintext: Uint8Array } {
  const { state: spqr, key: pqKey } = receiveSpqr(state.spqr, message.pqRatchet);
  const keys = messageKeys(seed, pqKey);
  wipe(seed);
  try {
    const { remoteIdentity: senderIdentity, localIdentity: receiverIdentity } = state;
    if (!hasValidMac(message, { macKey: keys.macKey, senderIdentity, receiverIdentity })) {
      throw new ProtocolError("invalid_message", "The message is not authentic.");
    }
    return { spqr, plaintext: decryptCbc(keys.cipherKey, keys.iv, message.ciphertext) };
  } finally {
    wipeMessageKeys(keys);
  }
}
