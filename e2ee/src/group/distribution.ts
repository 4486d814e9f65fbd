import { equal } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { type SenderKeyRecord, withState } from "./sender-key.ts";
import { decodeDistribution, encodeDistribution } from "./wire.ts";

/**
 * The bytes that let a member read our messages from the next one on. They hold the chain key: they travel inside a pairwise
 * session only.
 *
 * @param distributionId 16 bytes of a UUID.
 * @throws ProtocolError `no_sender_key` when the record is not one to send with.
 */
export function createDistribution(record: SenderKeyRecord, distributionId: Uint8Array): Uint8Array {
  const state = record.states[0];
  if (state === undefined || state.signingPrivateKey === null) {
    throw new ProtocolError("no_sender_key", "There is no sender key of our own to distribute.");
  }
  return encodeDistribution({ ...state, distributionId });
}

/**
 * Takes in what a sender distributed; `record` is what is kept of that sender's device and `distributionId`, or `null`. A chain
 * that is known already stays where it is, so that a distribution that comes twice brings no key back; the same chain id with
 * another signing key replaces the chain.
 *
 * @param expected the distribution that the record belongs to, 16 bytes. Read it with `decodeDistribution` when it is not known.
 * @throws ProtocolError `invalid_message`, `invalid_key`.
 */
export function processDistribution(
  record: SenderKeyRecord | null,
  message: Uint8Array,
  expected: Uint8Array,
): SenderKeyRecord {
  const { distributionId, chainId, iteration, chainKey, signingKey } = decodeDistribution(message);
  if (!equal(distributionId, expected)) {
    throw new ProtocolError("invalid_message", "The sender key is for another distribution.");
  }
  const known = record?.states.find((state) => state.chainId === chainId && equal(state.signingKey, signingKey));
  if (known !== undefined) return withState(record, known);
  return withState(record, { chainId, iteration, chainKey, signingKey, signingPrivateKey: null, skipped: [] });
}
