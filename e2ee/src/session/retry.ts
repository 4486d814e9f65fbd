import { concat, equal } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { checkPublicKey } from "../primitives/curve.ts";
import { decodePreKeySignalMessage, decodeSignalMessage, messageType } from "../wire/messages.ts";
import { bytes, decodeProtobuf, encodeProtobuf, uint32, uint64 } from "../wire/protobuf.ts";
import type { SessionRecord } from "./state.ts";

/**
 * A request to send again what could not be decrypted. It travels unencrypted (type 8), since the session may be what is
 * broken; so it is not to be believed beyond "this device wants that message once more".
 */
export interface RetryRequest {
  /** Of the message that failed, if it belongs to a session: its sender's ratchet key, 33 bytes. */
  readonly ratchetKey?: Uint8Array | undefined;
  /** Of the message that failed, as its sender set it. */
  readonly timestampMs: number;
  /** The device that sent the message that failed. */
  readonly deviceId: number;
}

const requestShape = { ratchetKey: bytes(1), timestampMs: uint64(2), deviceId: uint32(3) } as const;
const contentShape = { request: bytes(8) } as const;
const contentMarker = 0xc0;
const paddingMarker = 0x80;

/** The request for a message that failed. Of a body that is not even a message, the ratchet key is left out. */
export function retryRequestFor(
  message: { readonly type: number; readonly body: Uint8Array },
  timestampMs: number,
  senderDeviceId: number,
): RetryRequest {
  return { ratchetKey: ratchetKeyOf(message), timestampMs, deviceId: senderDeviceId };
}

function ratchetKeyOf({ type, body }: { readonly type: number; readonly body: Uint8Array }): Uint8Array | undefined {
  try {
    if (type === messageType.whisper) return decodeSignalMessage(body).ratchetKey.slice();
    if (type !== messageType.preKey) return undefined;
    return decodeSignalMessage(decodePreKeySignalMessage(body).message).ratchetKey.slice();
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** The body of a message of type 8. */
export function encodeRetryRequest(request: RetryRequest): Uint8Array {
  const content = encodeProtobuf(contentShape, { request: encodeProtobuf(requestShape, request) });
  return concat(Uint8Array.of(contentMarker), content, Uint8Array.of(paddingMarker));
}

/** @throws ProtocolError `invalid_message` or `invalid_key`. */
export function decodeRetryRequest(body: Uint8Array): RetryRequest {
  const end = body.findLastIndex((byte) => byte !== 0);
  if (body[0] !== contentMarker || end < 1 || body[end] !== paddingMarker) throw malformed();
  const { request } = decodeProtobuf(contentShape, body.subarray(1, end));
  if (request === undefined) throw malformed();
  const { ratchetKey, timestampMs, deviceId } = decodeProtobuf(requestShape, request);
  if (timestampMs === undefined) throw malformed();
  return {
    ratchetKey: ratchetKey === undefined ? undefined : checkPublicKey(ratchetKey).slice(),
    timestampMs,
    deviceId: deviceId ?? 0,
  };
}

function malformed(): ProtocolError {
  return new ProtocolError("invalid_message", "The request to send again is malformed.");
}

/**
 * Whether a request is about the session that is written with now: then archive it and begin another before sending again. If
 * not, a newer session has already replaced the one that failed.
 */
export function isAboutCurrentSession(record: SessionRecord, { ratchetKey }: RetryRequest): boolean {
  const current = record.current?.sending.ratchetKey.publicKey;
  return current !== undefined && ratchetKey !== undefined && equal(current, ratchetKey);
}
