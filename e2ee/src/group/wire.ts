import { concat } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { checkPublicKey } from "../primitives/curve.ts";
import { bytes, decodeProtobuf, encodeProtobuf, uint32 } from "../wire/protobuf.ts";

/** Version 3 in both halves: what the message is, and what its sender speaks. */
const version = 0x33;
const uuidLength = 16;
const signatureLength = 64;

const distributionShape = {
  distributionId: bytes(1),
  chainId: uint32(2),
  iteration: uint32(3),
  chainKey: bytes(4),
  signingKey: bytes(5),
};

const messageShape = { distributionId: bytes(1), chainId: uint32(2), iteration: uint32(3), ciphertext: bytes(4) };

/** What a sender hands to each member over their pairwise session, so that they can read from `iteration` on. */
export interface DistributionMessage {
  /** A UUID of 16 bytes: which of the sender's conversations this is for. */
  readonly distributionId: Uint8Array;
  readonly chainId: number;
  readonly iteration: number;
  /** 32 bytes. */
  readonly chainKey: Uint8Array;
  /** 33 bytes. */
  readonly signingKey: Uint8Array;
}

/** A message to a group, as it travels. */
export interface SenderKeyMessage {
  readonly distributionId: Uint8Array;
  readonly chainId: number;
  readonly iteration: number;
  readonly ciphertext: Uint8Array;
}

function malformed(what: string): ProtocolError {
  return new ProtocolError("invalid_message", `This is not a ${what}.`);
}

export function encodeDistribution(message: DistributionMessage): Uint8Array {
  return concat(Uint8Array.of(version), encodeProtobuf(distributionShape, message));
}

/**
 * Reads a distribution message; the byte strings are copies.
 *
 * @throws ProtocolError `invalid_message`, and `invalid_key` for a signing key that is none.
 */
export function decodeDistribution(input: Uint8Array): DistributionMessage {
  if (input[0] !== version) throw malformed("sender key distribution message of version 3");
  const message = decodeProtobuf(distributionShape, input.subarray(1));
  const { distributionId, chainId, iteration, chainKey, signingKey } = message;
  if (
    distributionId?.length !== uuidLength ||
    chainId === undefined ||
    iteration === undefined ||
    chainKey?.length !== 32 ||
    signingKey === undefined
  ) {
    throw malformed("whole sender key distribution message");
  }
  return {
    distributionId: distributionId.slice(),
    chainId,
    iteration,
    chainKey: chainKey.slice(),
    signingKey: checkPublicKey(signingKey).slice(),
  };
}

/** What is signed; the signature of 64 bytes follows it. */
export function encodeUnsigned(message: SenderKeyMessage): Uint8Array {
  return concat(Uint8Array.of(version), encodeProtobuf(messageShape, message));
}

/**
 * Splits a message into what was signed, its fields and its signature: views of `input`, nothing authenticated yet. Tells which
 * record to load (`distributionId`) before anything is decrypted.
 *
 * @throws ProtocolError `invalid_message`.
 */
export function decodeSenderKeyMessage(
  input: Uint8Array,
): SenderKeyMessage & { readonly signed: Uint8Array; readonly signature: Uint8Array } {
  if (input[0] !== version || input.length <= signatureLength) throw malformed("sender key message of version 3");
  const signed = input.subarray(0, -signatureLength);
  const { distributionId, chainId, iteration, ciphertext } = decodeProtobuf(messageShape, signed.subarray(1));
  if (
    distributionId?.length !== uuidLength ||
    chainId === undefined ||
    iteration === undefined ||
    ciphertext === undefined
  ) {
    throw malformed("whole sender key message");
  }
  return { distributionId, chainId, iteration, ciphertext, signed, signature: input.subarray(-signatureLength) };
}
