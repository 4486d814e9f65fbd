/** Why the engine refuses. Callers branch on the code; the message is for people and never holds a secret. */
export type ProtocolErrorCode =
  /** A key of the wrong type or length, not canonical, or of low order; or an agreement that came out as zero. */
  | "invalid_key"
  /** Bytes that are not a message, or whose authentication fails. */
  | "invalid_message"
  /** Stored state that cannot be read. */
  | "invalid_record"
  /** The key of this message was used before. */
  | "duplicate_message"
  /** The key of this message is no longer kept. */
  | "message_too_old"
  /** The message is further ahead of the last one than the protocol allows. */
  | "message_too_far"
  /** There is no sender key: of our own to send with, or of the sender to read with. */
  | "no_sender_key"
  /** A chain has no messages left. */
  | "chain_exhausted"
  /** An encrypted file or record that was changed, cut or reordered, or that the key does not belong to. */
  | "damaged"
  /** More bytes than the caller allows. */
  | "too_large"
  /** The passphrase is wrong, or was for another vault. */
  | "wrong_passphrase"
  /** A vault that asks for a weaker or much longer derivation than it may. */
  | "invalid_parameters"
  /** A message of a protocol version that is no longer, or not yet, spoken. */
  | "unsupported_version"
  /** An account id that is no UUID, or a device id out of range. */
  | "invalid_address"
  /** A message that was made for, or in the name of, another device. */
  | "wrong_address"
  /** A signature of a prekey that its identity key did not make. */
  | "invalid_signature"
  /** An identity key that is not the one the caller trusts. */
  | "untrusted_identity"
  /** There is no session, or none that may still be used to send. */
  | "no_session"
  /** A message that begins a session with a prekey that is no longer there. */
  | "unknown_prekey";

/** Everything that the engine refuses on purpose. Anything else that is thrown is a bug. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ProtocolErrorCode;

  constructor(code: ProtocolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
