import { concat, equal, wipe } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { decryptCbc, encryptCbc } from "../primitives/aes-cbc.ts";
import { sign, verify } from "../primitives/curve.ts";
import type { Platform } from "../platform.ts";
import { walkTo, withMessageKeys } from "./chain.ts";
import { maxForwardJump, maxIteration, replaceState, type SenderKeyRecord, type SenderKeyState } from "./sender-key.ts";
import { decodeSenderKeyMessage, encodeUnsigned } from "./wire.ts";

/**
 * Encrypts for everybody who has our sender key. Store `record` before `message` leaves: a key must never encrypt twice.
 *
 * @param distributionId 16 bytes of a UUID, the one that was distributed.
 * @throws ProtocolError `no_sender_key` when the record is not one to send with, `chain_exhausted` after 2^32 − 1 messages: make a
 * new sender key then.
 */
export async function encryptForGroup(
  platform: Platform,
  record: SenderKeyRecord,
  distributionId: Uint8Array,
  plaintext: Uint8Array,
): Promise<{ record: SenderKeyRecord; message: Uint8Array }> {
  const current = record.states[0];
  if (current === undefined || current.signingPrivateKey === null) {
    throw new ProtocolError("no_sender_key", "There is no sender key of our own to send with.");
  }
  const { chainId, iteration, signingPrivateKey } = current;
  if (iteration >= maxIteration) throw new ProtocolError("chain_exhausted", "This sender key has no messages left.");
  const { state, seed } = walkTo(current, iteration);
  const ciphertext = withMessageKeys(seed, (key, iv) => encryptCbc(key, iv, plaintext));
  wipe(seed);
  const signed = encodeUnsigned({ distributionId, chainId, iteration, ciphertext });
  const signature = await sign(platform, signingPrivateKey, signed);
  return { record: replaceState(record, state), message: concat(signed, signature) };
}

/**
 * Decrypts what the owner of `record` sent to `expected` (16 bytes). A refused message leaves `record` as good as before; store the
 * new one before the plaintext is shown, or it could be shown twice.
 *
 * @throws ProtocolError `invalid_message`; `no_sender_key` when its chain is unknown (ask for a distribution);
 * `duplicate_message` when its key was used, or is no longer kept; `message_too_far` beyond 25,000 missing messages.
 */
export async function decryptFromGroup(
  platform: Platform,
  record: SenderKeyRecord,
  message: Uint8Array,
  expected: Uint8Array,
): Promise<{ record: SenderKeyRecord; plaintext: Uint8Array }> {
  const { distributionId, chainId, iteration, ciphertext, signed, signature } = decodeSenderKeyMessage(message);
  if (!equal(distributionId, expected)) {
    throw new ProtocolError("invalid_message", "The message is for another distribution.");
  }
  const current = record.states.find((state) => state.chainId === chainId);
  if (current === undefined) throw new ProtocolError("no_sender_key", "The sender key of this message is unknown.");
  if (!(await verify(platform, current.signingKey, signed, signature))) {
    throw new ProtocolError("invalid_message", "The signature of the message is wrong.");
  }
  const isBehind = iteration < current.iteration;
  const { state, seed } = isBehind ? takeSkipped(current, iteration) : walk(current, iteration);
  try {
    const plaintext = withMessageKeys(seed, (key, iv) => decryptCbc(key, iv, ciphertext));
    return { record: replaceState(record, state), plaintext };
  } finally {
    // A skipped seed is still the old record's; `retireSenderKey` overwrites it.
    if (!isBehind) wipe(seed);
  }
}

interface Taken {
  readonly state: SenderKeyState;
  readonly seed: Uint8Array;
}

function takeSkipped(current: SenderKeyState, iteration: number): Taken {
  const index = current.skipped.findIndex((skipped) => skipped.iteration === iteration);
  const found = current.skipped[index];
  if (found === undefined) {
    throw new ProtocolError("duplicate_message", "The key of this message was used or is no longer kept.");
  }
  return { state: { ...current, skipped: current.skipped.toSpliced(index, 1) }, seed: found.seed };
}

function walk(current: SenderKeyState, iteration: number): Taken {
  if (iteration - current.iteration > maxForwardJump) {
    throw new ProtocolError("message_too_far", "Too many messages are missing before this one.");
  }
  if (iteration >= maxIteration) throw new ProtocolError("chain_exhausted", "This sender key has no messages left.");
  return walkTo(current, iteration);
}
