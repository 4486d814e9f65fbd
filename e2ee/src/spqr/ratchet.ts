import { wipe } from "../bytes.ts";
import type { Platform } from "../platform.ts";
import { startAuthenticator } from "./authenticator.ts";
import { type Braid, receiveStep, sendStep, startBraid } from "./braid.ts";
import { addEpoch, type Chain, receiveKey, type Role, sendKey, startChain } from "./chain.ts";
import { decodeMessage, encodeMessage } from "./message.ts";

/**
 * The Sparse Post-Quantum Ratchet, version 1: an ML-KEM exchange that goes on and on beside a session's messages, and the
 * message keys that follow from it. Plain data, never changed in place: functions give a new state that shares what is the
 * same, so a message that is refused later leaves the old one usable.
 */
export interface SpqrState {
  /** The initiator of the session sends the first encapsulation key. */
  readonly role: Role;
  readonly braid: Braid;
  readonly chain: Chain;
}

/** The state of a new session. `authKey` (32 bytes) comes from its key agreement. */
export function startSpqr(role: Role, authKey: Uint8Array): SpqrState {
  return { role, braid: startBraid(role, startAuthenticator(authKey)), chain: startChain(role, authKey) };
}

/** What travels with the next message, and the key (32 bytes) to mix into that message's keys. */
export function sendSpqr(
  state: SpqrState,
  random: Platform["random"],
): { state: SpqrState; message: Uint8Array; key: Uint8Array } {
  const { role } = state;
  const { epoch } = state.braid;
  const { braid, step, secret } = sendStep(state.braid, random);
  const withEpoch = secret === null ? state.chain : addEpoch(state.chain, role, secret);
  const { chain, index, key } = sendKey(withEpoch, epoch - 1);
  return { state: { role, braid, chain }, message: encodeMessage({ epoch, index, step }), key };
}

/**
 * Takes in what came with a message, and gives the key (32 bytes) to mix into that message's keys. The message is not
 * authentic yet: whoever then finds its MAC wrong drops the new state.
 *
 * @throws ProtocolError `invalid_message`, `duplicate_message`, `message_too_old`, `message_too_far`.
 */
export function receiveSpqr(state: SpqrState, message: Uint8Array): { state: SpqrState; key: Uint8Array } {
  const { role } = state;
  const { epoch, index, step } = decodeMessage(message);
  const { braid, secret } = receiveStep(state.braid, epoch, step);
  const withEpoch = secret === null ? state.chain : addEpoch(state.chain, role, secret);
  const { chain, key } = receiveKey(withEpoch, epoch - 1, index);
  return { state: { role, braid, chain }, key };
}

/** Overwrites the secrets of `old` that `current`, which followed it and is kept, does not share. */
export function wipeReplaced(old: SpqrState, current: SpqrState): void {
  const kept = new Set(secretsOf(current));
  for (const secret of secretsOf(old)) if (!kept.has(secret)) wipe(secret);
}

function secretsOf({ braid, chain }: SpqrState): Uint8Array[] {
  const { phase, authenticator } = braid;
  const secrets = [authenticator.root, authenticator.macKey, chain.root];
  if ("secretKey" in phase) secrets.push(phase.secretKey);
  if ("encapsulation" in phase) secrets.push(phase.encapsulation);
  for (const { send, receive } of chain.epochs) {
    secrets.push(receive.next, receive.skipped);
    if (send !== null) secrets.push(send.next);
  }
  return secrets;
}
