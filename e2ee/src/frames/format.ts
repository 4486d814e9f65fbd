import { concat } from "../bytes.ts";
import { nonceLength, tagLength } from "../primitives/aes-gcm.ts";

/*
 * clear 0–10 ‖ AES-256-GCM of the rest ‖ tag 16 ‖ trailer 7
 *   trailer: epoch 1 (low byte) ‖ step 1 ‖ counter 4 ‖ format 1 (4 bits), length of clear (4 bits)
 *   nonce: salt XOR (8 zeros ‖ counter)        additional data: clear ‖ trailer ‖ role
 *
 * What the decoder and the SFU look at stands where it always stands, so what is ours comes last.
 */
const format = 1;
const trailerLength = 7;
/** Bytes that a frame grows by. */
export const frameOverhead = tagLength + trailerLength;
/** VP8's header of a key frame (RFC 6386, 9.1): more of a frame is never in the clear. */
const maxClearLength = 10;
export const maxCounter = 2 ** 32 - 1;

/** What a track carries. Its number is bound into key and frame: a camera never opens as a screen. */
export const roles = { audio: 1, camera: 2, screen: 3, "screen-audio": 4 } as const;
export type TrackRole = keyof typeof roles;

/** The codecs whose frames pass encrypted through an SFU. H264 and AV1 would need transforms that know their inside. */
export type FrameCodec = "opus" | "vp8" | "vp9";

/**
 * How many bytes at the beginning stay readable: for VP8 what tells a key frame and its size, nothing otherwise. An SFU must
 * see key frames of VP8 to switch layers; those of VP9 and the layers of both stand in the RTP payload descriptor.
 */
export function clearLengthOf(codec: FrameCodec, frame: Uint8Array): number {
  if (codec !== "vp8" || frame.length === 0) return 0;
  // The lowest bit of the first byte is 0 in a key frame.
  const isKeyFrame = (frame[0]! & 1) === 0;
  return isKeyFrame && frame.length >= maxClearLength ? maxClearLength : 1;
}

/** Which key a frame says that it is encrypted with. */
export interface KeyId {
  /** The low byte of the epoch. */
  readonly epochByte: number;
  readonly step: number;
}

/** A frame taken apart: views of it, nothing authenticated. */
export interface ParsedFrame extends KeyId {
  readonly counter: number;
  readonly clear: Uint8Array;
  readonly trailer: Uint8Array;
  /** With the tag. */
  readonly ciphertext: Uint8Array;
}

export function encodeTrailer({ epochByte, step }: KeyId, counter: number, clearLength: number): Uint8Array {
  const trailer = new Uint8Array(trailerLength);
  trailer[0] = epochByte;
  trailer[1] = step;
  new DataView(trailer.buffer).setUint32(2, counter);
  trailer[6] = (format << 4) | clearLength;
  return trailer;
}

/** `undefined` for what is no encrypted frame. */
export function parseFrame(frame: Uint8Array): ParsedFrame | undefined {
  const end = frame.length - trailerLength;
  if (end < tagLength) return undefined;
  const trailer = frame.subarray(end);
  const last = trailer[6]!;
  const clearLength = last & 0x0f;
  if (last >> 4 !== format || clearLength > maxClearLength || clearLength > end - tagLength) return undefined;
  return {
    epochByte: trailer[0]!,
    step: trailer[1]!,
    counter: new DataView(trailer.buffer, trailer.byteOffset).getUint32(2),
    clear: frame.subarray(0, clearLength),
    trailer,
    ciphertext: frame.subarray(clearLength, end),
  };
}

/** The salt differs for each key, as in SFrame (RFC 9605, 4.4.3). */
export function nonceOf(salt: Uint8Array, counter: number): Uint8Array {
  const nonce = Uint8Array.from(salt);
  const view = new DataView(nonce.buffer);
  view.setUint32(nonceLength - 4, (view.getUint32(nonceLength - 4) ^ counter) >>> 0);
  return nonce;
}

export function additionalDataOf(clear: Uint8Array, trailer: Uint8Array, role: TrackRole): Uint8Array {
  return concat(clear, trailer, Uint8Array.of(roles[role]));
}
