import * as v from "valibot";
import { ContentType, CustomStatus, Message, Metadata, StatusChoice, text } from "./entities.ts";
import { ErrorBody } from "./errors.ts";
import { ChannelId, MessageId, Seq, Timestamp } from "./ids.ts";
import { LIMITS } from "./limits.ts";

const Nonce = v.pipe(text(LIMITS.nonceLength), v.minLength(1));
const Content = v.pipe(text(LIMITS.encryptedContentLength), v.minLength(1));

/** Plain text has the shorter limit and is not only blanks; the server cannot judge ciphertext. */
function contentFits({ content, encrypted }: { content: string; encrypted: boolean }): boolean {
  return encrypted || (content.length <= LIMITS.contentLength && content.trim().length > 0);
}

export const MessageSend = v.pipe(
  v.object({
    channelId: ChannelId,
    content: Content,
    contentType: v.optional(ContentType, "text"),
    nonce: Nonce,
    metadata: v.optional(Metadata),
    encrypted: v.optional(v.boolean(), false),
    replyTo: v.optional(MessageId),
    threadId: v.optional(MessageId),
  }),
  v.check((message) => contentFits(message), "content is empty or too long"),
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

export const TypingStart = v.object({ channelId: ChannelId });
export const ReadMark = v.object({ channelId: ChannelId, seq: Seq });
export type ReadMark = v.InferOutput<typeof ReadMark>;

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
  "typing:start": { body: TypingStart, answer: answer({}) },
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
