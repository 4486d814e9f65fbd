/** What stands inside the encryption: versioned JSON, padded so that its length says little. */
import { Emoji } from "@lescopains/protocol/entities";
import { ChannelId, MessageId, Seq, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import * as v from "valibot";

const version = 1;
/** As Signal's clients: lengths are told in steps of 160 bytes. */
const PADDING_STEP = 160;
const PADDING_MARK = 0x80;

/** Messages of calls have 107 bytes at most; there is room for what they may become. */
const CALL_TEXT = 2_000;

const Text = v.pipe(v.string(), v.maxLength(LIMITS.contentLength));

/** What takes a place in the conversation. `t`: milliseconds by the sender's clock. */
const body = {
  text: v.object({ k: v.literal("text"), text: Text, replyTo: v.nullable(MessageId) }),
  edit: v.object({ k: v.literal("edit"), id: MessageId, text: Text }),
  reaction: v.object({ k: v.literal("reaction"), id: MessageId, emoji: Emoji, on: v.boolean() }),
  delete: v.object({ k: v.literal("delete"), id: MessageId }),
  /** Its sender called, and nobody answered. */
  missedCall: v.object({ k: v.literal("missedCall") }),
} as const;

const Stored = v.variant("k", [body.text, body.edit, body.reaction, body.delete, body.missedCall]);
/** What a message of a conversation says. */
export type StoredContent = v.InferOutput<typeof Stored>;

/** A message of this conversation; `channelId` binds it, so that the server cannot show it in another one. */
const Place = v.object({ v: v.literal(version), c: ChannelId, t: v.number() });

export const KeptContent = v.union([Stored, v.object({ k: v.literal("newer") })]);
/** `newer`: of a kind that this client doesn't know. */
export type KeptContent = v.InferOutput<typeof KeptContent>;
/** What changes another message, which it names by `id`. */
export type ChangeContent = Extract<StoredContent, { id: MessageId }>;

/** Whether it changes another message. All else stands in the conversation by itself, also what is not known. */
export function isChange(content: KeptContent): content is ChangeContent {
  return "id" in content;
}

const Passing = v.variant("k", [v.object({ k: v.literal("typing") }), v.object({ k: v.literal("read"), seq: Seq })]);
/** What passes by: nothing of it is kept as a message. */
export type PassingContent = v.InferOutput<typeof Passing>;

const Named = v.object({ c: ChannelId, id: MessageId });
const Direct = v.variant("k", [
  /** A sender key for a group: what comes from this device in `c` can be read with it. */
  v.object({ k: v.literal("senderKey"), c: ChannelId, d: v.string() }),
  /** "I could not read these of yours." */
  v.object({ k: v.literal("retry"), m: v.pipe(v.array(Named), v.minLength(1), v.maxLength(100)) }),
  /** A message once more; `content` null: it is no longer there. */
  v.object({ k: v.literal("again"), c: ChannelId, id: MessageId, content: v.nullable(KeptContent) }),
  /** To one's own devices: these numbers were compared. */
  v.object({ k: v.literal("verified"), u: UserId, identityKey: v.string(), on: v.boolean() }),
  /** For the encryption of a call, which alone reads it. */
  v.object({ k: v.literal("call"), b: v.pipe(v.string(), v.maxLength(CALL_TEXT), v.base64()) }),
]);
/** What goes from device to device outside of conversations. */
export type DirectContent = v.InferOutput<typeof Direct>;

function pad(json: string): Uint8Array {
  const text = new TextEncoder().encode(json);
  const padded = new Uint8Array(Math.ceil((text.length + 1) / PADDING_STEP) * PADDING_STEP);
  padded.set(text);
  padded[text.length] = PADDING_MARK;
  return padded;
}

function unpad(bytes: Uint8Array): unknown {
  const end = bytes.findLastIndex((byte) => byte !== 0);
  if (end < 0 || bytes[end] !== PADDING_MARK) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, end)));
  } catch {
    return undefined;
  }
}

export function encodeStored(channelId: ChannelId, content: StoredContent, sentAtMs: number): Uint8Array {
  return pad(JSON.stringify({ v: version, c: channelId, t: sentAtMs, ...content }));
}

export function encodePassing(channelId: ChannelId, content: PassingContent, sentAtMs: number): Uint8Array {
  return pad(JSON.stringify({ v: version, c: channelId, t: sentAtMs, ...content }));
}

export function encodeDirect(content: DirectContent): Uint8Array {
  return pad(JSON.stringify({ v: version, ...content }));
}

/** A message as its sender wrote it; `undefined` when it is not one of ours or was written for another conversation. */
export function decodeStored(bytes: Uint8Array, channelId: ChannelId): KeptContent | undefined {
  const raw = unpad(bytes);
  const place = v.safeParse(v.looseObject({ c: v.literal(channelId) }), raw);
  if (!place.success) return undefined;
  const parsed = v.safeParse(v.intersect([Place, Stored]), raw);
  return parsed.success ? v.parse(Stored, raw) : { k: "newer" };
}

/** When its sender says that a message was written; long ago when nothing is said. */
export function writtenAtMs(bytes: Uint8Array): number {
  const parsed = v.safeParse(v.looseObject({ t: v.number() }), unpad(bytes));
  return parsed.success ? parsed.output.t : 0;
}

/** `undefined` for whatever is not understood: nobody misses it. */
export function decodePassing(bytes: Uint8Array, channelId: ChannelId): PassingContent | undefined {
  const raw = unpad(bytes);
  const parsed = v.safeParse(v.intersect([Place, Passing]), raw);
  return parsed.success && parsed.output.c === channelId ? v.parse(Passing, raw) : undefined;
}

/** `undefined` for whatever is not understood. */
export function decodeDirect(bytes: Uint8Array): DirectContent | undefined {
  const raw = unpad(bytes);
  const parsed = v.safeParse(v.intersect([v.looseObject({ v: v.literal(version) }), Direct]), raw);
  return parsed.success ? v.parse(Direct, raw) : undefined;
}
