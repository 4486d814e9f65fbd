import * as v from "valibot";
import { base64, DeviceCiphertext } from "./ciphertext.ts";
import { ContentType, CustomStatus, Emoji, Message, Metadata, StatusChoice, text } from "./entities.ts";
import { ErrorBody } from "./errors.ts";
import { CallId, ChannelId, JoinId, MessageId, Seq, Timestamp } from "./ids.ts";
import { EnvelopeId, FailureReason, ListVersions, OutgoingEnvelope } from "./keys.ts";
import { LIMITS } from "./limits.ts";
import { VoiceFlags, VoiceMember, VoiceRoster } from "./voice.ts";

const Nonce = v.pipe(text(LIMITS.nonceLength), v.minLength(1));
const Content = text(LIMITS.encryptedContentLength);

/** Plain text has the shorter limit and is not only blanks; the server cannot judge ciphertext. */
function contentFits({ content, encrypted }: { content: string; encrypted: boolean }): boolean {
  return encrypted ? content.length > 0 : content.length <= LIMITS.contentLength && content.trim().length > 0;
}

const Ciphertexts = v.pipe(
  v.array(DeviceCiphertext),
  v.maxLength(LIMITS.ciphertexts),
  v.check(
    (all) => new Set(all.map(({ userId, deviceId }) => `${userId} ${deviceId}`)).size === all.length,
    "one ciphertext for each device",
  ),
);
const SharedCiphertext = base64(1, LIMITS.ciphertextBytes);

interface Sealed {
  readonly content: string;
  readonly encrypted: boolean;
  readonly ciphertexts?: unknown;
  readonly listVersions?: unknown;
  readonly ephemeral?: boolean | undefined;
}

/** Ciphertexts stand in place of content; with `listVersions` the content is one ciphertext for all. */
function sendFits(message: Sealed): boolean {
  const { content, ciphertexts, listVersions, ephemeral } = message;
  if (ciphertexts !== undefined) return content === "" && listVersions === undefined;
  if (listVersions !== undefined) return v.is(SharedCiphertext, content);
  return ephemeral !== true && contentFits(message);
}

/**
 * In a channel of a server: `content`, encrypted or not. In a direct conversation, from a socket with a device, either
 * `ciphertexts` (one for each device of each person in it but the sending one) or, in a group, `content` = one sender-key ciphertext
 * for all in base64, with `listVersions` = the present device list version of everyone who has one.
 */
export const MessageSend = v.pipe(
  v.object({
    channelId: ChannelId,
    content: v.optional(Content, ""),
    contentType: v.optional(ContentType, "text"),
    nonce: Nonce,
    metadata: v.optional(Metadata),
    encrypted: v.optional(v.boolean(), false),
    replyTo: v.optional(MessageId),
    threadId: v.optional(MessageId),
    ciphertexts: v.optional(Ciphertexts),
    listVersions: v.optional(ListVersions),
    /** Direct conversations only: for whoever is connected, never stored, acknowledged with `seq` 0. */
    ephemeral: v.optional(v.boolean()),
  }),
  v.check((message) => sendFits(message), "content is empty, too long or not one of the three forms"),
);
export type MessageSend = v.InferOutput<typeof MessageSend>;

export const MessageEdit = v.pipe(
  v.object({
    channelId: ChannelId,
    messageId: MessageId,
    content: Content,
    metadata: v.optional(Metadata),
    encrypted: v.optional(v.boolean(), false),
  }),
  v.check((message) => contentFits(message), "content is empty or too long"),
);
export type MessageEdit = v.InferOutput<typeof MessageEdit>;

export const MessageDelete = v.object({ channelId: ChannelId, messageId: MessageId });
export type MessageDelete = v.InferOutput<typeof MessageDelete>;

/** One's own reaction, in a channel of a server. In a direct conversation it travels inside of a message. */
export const ReactionChange = v.object({ channelId: ChannelId, messageId: MessageId, emoji: Emoji });
export type ReactionChange = v.InferOutput<typeof ReactionChange>;

export const TypingStart = v.object({ channelId: ChannelId });
export const ReadMark = v.object({ channelId: ChannelId, seq: Seq });
export type ReadMark = v.InferOutput<typeof ReadMark>;

/** This device has what came up to `seq`: its ciphertexts up to there are deleted. */
export const MessageReceived = v.object({ channelId: ChannelId, seq: Seq });
export type MessageReceived = v.InferOutput<typeof MessageReceived>;

export const KeysSend = v.object({
  messages: v.pipe(v.array(OutgoingEnvelope), v.minLength(1), v.maxLength(LIMITS.envelopesSend)),
});
export type KeysSend = v.InferOutput<typeof KeysSend>;
/** Envelopes up to this one are kept by the device, and deleted here. */
export const KeysAck = v.object({ upTo: EnvelopeId });
/** `channelId` is left out for an envelope. */
export const KeysFailed = v.object({ channelId: v.optional(ChannelId), reason: FailureReason });

export const PresenceSet = v.object({ status: StatusChoice, customStatus: v.optional(v.nullable(CustomStatus)) });
export type PresenceSet = v.InferOutput<typeof PresenceSet>;

/** `channels` maps each channel to the last `seq` the client has seen of it. */
export const Sync = v.object({
  channels: v.pipe(
    v.record(ChannelId, Seq),
    v.check((channels) => Object.keys(channels).length <= LIMITS.syncChannels, "too many channels"),
  ),
});
export type Sync = v.InferOutput<typeof Sync>;

const InChannel = v.object({ channelId: ChannelId });

const refused = v.object({ ok: v.literal(false), error: ErrorBody });
function answer<T extends v.ObjectEntries>(entries: T) {
  return v.union([v.object({ ok: v.literal(true), ...entries }), refused]);
}

/**
 * Client → server: event name → what it carries and what its acknowledgement says.
 * `presence:ping` is answered by the event `presence:pong` when sent without an acknowledgement.
 */
export const UP = {
  "message:send": { body: MessageSend, answer: answer({ id: MessageId, seq: Seq, createdAt: Timestamp }) },
  "message:edit": { body: MessageEdit, answer: answer({ id: MessageId, seq: Seq, editedAt: Timestamp }) },
  "message:delete": { body: MessageDelete, answer: answer({ id: MessageId, seq: Seq }) },
  /** `seq` null: it was so already, and nothing is told. */
  "reaction:add": { body: ReactionChange, answer: answer({ seq: v.nullable(Seq) }) },
  "reaction:remove": { body: ReactionChange, answer: answer({ seq: v.nullable(Seq) }) },
  "message:received": { body: MessageReceived, answer: answer({}) },
  /** All of them are queued or none. */
  "keys:send": { body: KeysSend, answer: answer({}) },
  "keys:ack": { body: KeysAck, answer: answer({}) },
  "keys:failed": { body: KeysFailed, answer: answer({}) },
  /** Takes a place in a voice channel or a call; the one held elsewhere ends. Media follows with `POST /api/voice/join`. */
  "voice:join": { body: InChannel, answer: answer({ joinId: JoinId, roster: VoiceRoster }) },
  /** With `joinId` only the place that is called so: one that another client has taken since is not given up. */
  "voice:leave": { body: v.object({ channelId: ChannelId, joinId: v.optional(JoinId) }), answer: answer({}) },
  /** Of the place that this session holds. */
  "voice:state": { body: VoiceFlags, answer: answer({ member: VoiceMember }) },
  /** From someone in a direct conversation's call: rings everyone who is not in it, for 45 s. */
  "call:ring": { body: InChannel, answer: answer({ callId: CallId, until: Timestamp }) },
  /** Stops the ringing on the person's other connections; `voice:join` does so too. */
  "call:accept": { body: InChannel, answer: answer({}) },
  "call:decline": { body: InChannel, answer: answer({}) },
  /** From who called. */
  "call:cancel": { body: InChannel, answer: answer({}) },
  "typing:start": { body: InChannel, answer: answer({}) },
  "read:mark": { body: ReadMark, answer: answer({ seq: Seq }) },
  "presence:set": { body: PresenceSet, answer: answer({}) },
  "presence:ping": { body: v.optional(v.object({})), answer: answer({}) },
  sync: {
    body: Sync,
    answer: answer({
      /** In order of `changedSeq`. `more`: page on with another `sync`. `lastSeq`: where the channel stands. A channel the user may not view is absent. */
      channels: v.record(ChannelId, v.object({ messages: v.array(Message), lastSeq: Seq, more: v.boolean() })),
      /** True when any channel has more. */
      more: v.boolean(),
    }),
  },
} as const;

export type UpEvent = keyof typeof UP;
export type UpBody<E extends UpEvent> = v.InferOutput<(typeof UP)[E]["body"]>;
export type UpAnswer<E extends UpEvent> = v.InferOutput<(typeof UP)[E]["answer"]>;
