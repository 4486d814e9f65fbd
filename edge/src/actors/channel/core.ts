import type { AnyDown } from "@lescopains/protocol/down";
import type { Message } from "@lescopains/protocol/entities";
import type { DeviceId } from "@lescopains/protocol/device-list";
import type { ErrorBody } from "@lescopains/protocol/errors";
import type { ChannelId, MessageId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { allows, type PermissionBits } from "@lescopains/protocol/permissions";
import type { MessageDelete, MessageEdit, MessageSend, ReactionChange } from "@lescopains/protocol/up";

/** What a channel needs to know about itself to decide. */
export interface ChannelState {
  readonly encrypted: boolean;
  /** A conversation without a server. */
  readonly direct: "dm" | "group_dm" | null;
}

/** A write as a gateway hands it in. The author is the authenticated user, never what a frame says. */
export type Write =
  | { readonly kind: "send"; readonly userId: UserId; readonly deviceId: DeviceId | null; readonly input: MessageSend }
  | { readonly kind: "edit"; readonly userId: UserId; readonly input: MessageEdit }
  | { readonly kind: "delete"; readonly userId: UserId; readonly input: MessageDelete }
  /** `on`: it is added; otherwise taken back. */
  | { readonly kind: "react"; readonly userId: UserId; readonly input: ReactionChange; readonly on: boolean };

/** A write with the permissions its author had in this channel when it was admitted. */
export interface Admitted {
  readonly write: Write;
  readonly bits: PermissionBits;
}

/** More messages than this in one statement gain nothing and make the first of them wait for the last. */
const BATCH_MAX = 250;

/** Why a write is not admitted, or null. `bits` are the author's effective permissions in this channel. */
export function refusal(state: ChannelState, write: Write, bits: PermissionBits, queued: number): ErrorBody | null {
  if (!allows(bits, "viewChannel")) return { code: "not_found", message: "no such channel" };
  if (state.direct !== null) {
    const refused = directRefusal(state.direct, write);
    if (refused !== null) return refused;
  } else if (write.kind === "send" && isSealed(write.input)) {
    return { code: "invalid_request", message: "ciphertexts for devices are for direct conversations" };
  }
  if ((write.kind === "send" || write.kind === "edit") && !allows(bits, "sendMessages"))
    return { code: "forbidden", message: "you may not write here" };
  if (write.kind === "react" && write.on && !allows(bits, "addReactions"))
    return { code: "forbidden", message: "you may not react here" };
  if (state.direct === null && state.encrypted && isLegible(write))
    return { code: "encryption_required", message: "this channel takes encrypted messages only" };
  if (queued >= LIMITS.channelQueue) {
    return { code: "rate_limited", message: "the channel is busy", retryAfterMs: 1_000 };
  }
  return null;
}

/** Whether the server could read what is written. */
function isLegible(write: Write): boolean {
  if (write.kind === "send" || write.kind === "edit") return !write.input.encrypted;
  return write.kind === "react" && write.on;
}

/** A message whose content is for devices, not for whoever may read the channel. */
export function isSealed(input: MessageSend): boolean {
  return input.ciphertexts !== undefined || input.listVersions !== undefined;
}

/** A direct conversation takes sealed messages; whatever else one does with a message travels inside of them. */
function directRefusal(direct: "dm" | "group_dm", write: Write): ErrorBody | null {
  if (write.kind === "delete") return null;
  if (write.kind === "edit" || write.kind === "react")
    return { code: "encryption_required", message: "here a change travels inside of a message" };
  const { input, deviceId } = write;
  if (!isSealed(input)) return { code: "encryption_required", message: "here a message is for devices" };
  if (deviceId === null) return { code: "device_required", message: "this connection speaks for no device" };
  if (input.listVersions !== undefined && direct === "dm")
    return { code: "invalid_request", message: "two people have a ciphertext for each device" };
  const { metadata, replyTo, threadId, contentType } = input;
  if (metadata !== undefined || replyTo !== undefined || threadId !== undefined || contentType !== "text")
    return { code: "invalid_request", message: "what a message is about is inside of its ciphertext" };
  return null;
}

/** How many writes from the front of a queue go to PostgreSQL together: a run of messages with distinct nonces, or one change of a message. */
export function batchLength(queue: readonly Pick<Admitted, "write">[]): number {
  const first = queue[0]?.write;
  if (first === undefined) return 0;
  if (first.kind !== "send" || isSealed(first.input)) return 1;
  const seen = new Set<string>();
  let length = 0;
  for (const { write } of queue) {
    // A retry that arrives beside its first try waits for the next batch, where it is found stored.
    if (
      write.kind !== "send" ||
      length === BATCH_MAX ||
      isSealed(write.input) ||
      seen.has(`${write.userId} ${write.input.nonce}`)
    )
      break;
    seen.add(`${write.userId} ${write.input.nonce}`);
    length += 1;
  }
  return length;
}

/** `message:new` of a message that was just stored. */
export function newMessage(
  channelId: ChannelId,
  write: Extract<Write, { kind: "send" }>,
  stored: { readonly id: MessageId; readonly seq: number; readonly createdAt: string },
): Extract<AnyDown, { event: "message:new" }> {
  const { input } = write;
  return {
    event: "message:new",
    body: {
      id: stored.id,
      channelId,
      seq: stored.seq,
      changedSeq: stored.seq,
      authorId: write.userId,
      content: input.content,
      contentType: input.contentType,
      encrypted: input.encrypted,
      metadata: input.metadata ?? null,
      nonce: input.nonce,
      replyTo: input.replyTo ?? null,
      threadId: input.threadId ?? null,
      createdAt: stored.createdAt,
      editedAt: null,
      deleted: false,
      reactions: [],
    },
  };
}

/** `message:new` of a sealed message; each reader's own ciphertext is put in where it is written. */
export function newSealed(
  channelId: ChannelId,
  write: Extract<Write, { kind: "send" }>,
  senderDeviceId: DeviceId,
  stored: { readonly id: MessageId; readonly seq: number; readonly createdAt: string },
): AnyDown {
  const { event, body } = newMessage(channelId, write, stored);
  return { event, body: { ...body, content: "", encrypted: true, senderDeviceId, ciphertext: null } };
}

/** `message:ephemeral`; each reader's own ciphertext takes the place of the empty one where it is written. */
export function passing(
  channelId: ChannelId,
  authorId: UserId,
  senderDeviceId: DeviceId,
  nonce: string,
  createdAt: string,
): AnyDown {
  const ciphertext = { type: 2, body: "" } as const;
  return { event: "message:ephemeral", body: { channelId, authorId, senderDeviceId, nonce, ciphertext, createdAt } };
}

/** `message:edited` after an edit was stored. */
export function editedMessage(
  channelId: ChannelId,
  write: Extract<Write, { kind: "edit" }>,
  stored: { readonly seq: number; readonly editedAt: string },
): AnyDown {
  const { messageId, content, encrypted, metadata } = write.input;
  return {
    event: "message:edited",
    body: {
      id: messageId,
      channelId,
      seq: stored.seq,
      content,
      encrypted,
      metadata: metadata ?? null,
      editedAt: stored.editedAt,
    },
  };
}

/** `message:deleted` after a deletion was stored. */
export function deletedMessage(channelId: ChannelId, messageId: MessageId, seq: number): AnyDown {
  return { event: "message:deleted", body: { id: messageId, channelId, seq } };
}

/** `reaction:added` or `reaction:removed` after the change was stored. */
export function reactionChanged(channelId: ChannelId, write: Extract<Write, { kind: "react" }>, seq: number): AnyDown {
  const { messageId, emoji } = write.input;
  const event = write.on ? "reaction:added" : "reaction:removed";
  return { event, body: { id: messageId, channelId, seq, userId: write.userId, emoji } };
}

/** The last change of a message, other than of its reactions, as the event that told, or should have told, of it. */
export function changeOf(message: Message): AnyDown {
  const { id, channelId, changedSeq, content, encrypted, metadata, editedAt } = message;
  if (message.deleted) return deletedMessage(channelId, id, changedSeq);
  if (editedAt === null || changedSeq === message.seq) return { event: "message:new", body: message };
  return { event: "message:edited", body: { id, channelId, seq: changedSeq, content, encrypted, metadata, editedAt } };
}

/** Answers of the writes, as their acknowledgements carry them. */
export interface Sent {
  readonly id: MessageId;
  readonly seq: number;
  readonly createdAt: string;
}
export interface Edited {
  readonly id: MessageId;
  readonly seq: number;
  readonly editedAt: string;
}
export interface Deleted {
  readonly id: MessageId;
  readonly seq: number;
}
export interface Reacted {
  /** Null: it was so already. */
  readonly seq: number | null;
}
export type Answer = Sent | Edited | Deleted | Reacted;
