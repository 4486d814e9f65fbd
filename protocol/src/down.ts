import * as v from "valibot";
import { Ciphertext } from "./ciphertext.ts";
import { DeviceId, ListVersion } from "./device-list.ts";
import { Channel, DirectChannel, Emoji, Member, Message, Presence, Role, Self, Server, User } from "./entities.ts";
import { ErrorCode } from "./errors.ts";
import {
  CallId,
  ChannelId,
  Generation,
  HandoffId,
  JoinId,
  MessageId,
  RoleId,
  Seq,
  ServerId,
  SessionId,
  Timestamp,
  UserId,
} from "./ids.ts";
import { EcPublicKey, Envelope } from "./keys.ts";
import { RingEnd, Ringing, VoiceEnd, VoiceMember, VoiceRoster } from "./voice.ts";

/** Why a server is no longer there for someone. */
export const LeaveReason = v.picklist(["left", "kicked", "banned", "deleted"]);
export type LeaveReason = v.InferOutput<typeof LeaveReason>;

const ReactionChanged = v.object({ id: MessageId, channelId: ChannelId, seq: Seq, userId: UserId, emoji: Emoji });

/** Server → client: event name → what it carries. Events of a channel carry its `seq`. */
export const DOWN = {
  /** First event of every connection; what a client needs to show its first screen. */
  ready: v.object({
    user: Self,
    servers: v.array(Server),
    dms: v.array(DirectChannel),
    presences: v.array(Presence),
    /** Of the voice channels and calls that someone is in. */
    voice: v.array(VoiceRoster),
    /** Whom this person has blocked. */
    blocked: v.array(UserId),
    sessionId: SessionId,
    /** Another than before: the server was restored from a backup, and what one knows of it may be unknown there. */
    generation: Generation,
    /** The device this socket speaks for; null: none was named, or it is not this session's. */
    deviceId: v.nullable(DeviceId),
  }),
  "message:new": Message,
  "message:edited": v.object({
    id: MessageId,
    channelId: ChannelId,
    seq: Seq,
    content: v.string(),
    encrypted: v.boolean(),
    metadata: v.nullable(v.record(v.string(), v.unknown())),
    editedAt: Timestamp,
  }),
  "message:deleted": v.object({ id: MessageId, channelId: ChannelId, seq: Seq }),
  /** `id`: the message. `userId`: whose reaction it is. */
  "reaction:added": ReactionChanged,
  "reaction:removed": ReactionChanged,
  /** Passes by: it has no `seq` and is in no history. */
  "message:ephemeral": v.object({
    channelId: ChannelId,
    authorId: UserId,
    senderDeviceId: DeviceId,
    nonce: v.string(),
    ciphertext: Ciphertext,
    createdAt: Timestamp,
  }),
  typing: v.object({ channelId: ChannelId, userId: UserId }),
  /** To the reader's other connections. */
  "read:updated": v.object({ channelId: ChannelId, seq: Seq }),
  "presence:update": Presence,
  /** Somebody came, changed what they say of themself, or (`member` is null) went. A lower `epoch` than the roster's is old news. */
  "voice:state": v.object({
    channelId: ChannelId,
    epoch: Seq,
    userId: UserId,
    joinId: JoinId,
    member: v.nullable(VoiceMember),
  }),
  /** To the person: their place is gone. `toChannelId`: where a moderator put them, with `toJoinId`. */
  "voice:ended": v.object({
    channelId: ChannelId,
    joinId: JoinId,
    reason: VoiceEnd,
    toChannelId: v.optional(ChannelId),
    toJoinId: v.optional(JoinId),
  }),
  /** To the person: the node of the room is gone. Their place is kept for a minute: ask for another token with this `joinId`. */
  "voice:rejoin": v.object({ channelId: ChannelId, joinId: JoinId }),
  /** To everyone in the conversation: `userIds` are called. */
  "call:ringing": v.object({ channelId: ChannelId, ...Ringing.entries }),
  /** To everyone in the conversation, on all their connections: these people are called no longer. */
  "call:stopped": v.object({
    channelId: ChannelId,
    callId: CallId,
    callerId: UserId,
    userIds: v.array(UserId),
    reason: RingEnd,
  }),
  "presence:pong": v.optional(v.object({})),
  /** To the person who made or joined it, on all their connections. */
  "server:joined": v.object({ server: Server }),
  /** Name, icon, owner, or the reader's own access changed: the whole server as they see it now. */
  "server:updated": v.object({ server: Server }),
  "server:left": v.object({ serverId: ServerId, reason: LeaveReason }),
  "channel:created": v.object({ channel: Channel }),
  "channel:updated": v.object({ channel: Channel }),
  "channel:deleted": v.object({ serverId: ServerId, channelId: ChannelId }),
  "member:joined": v.object({ serverId: ServerId, member: Member }),
  "member:updated": v.object({ serverId: ServerId, member: Member }),
  "member:left": v.object({ serverId: ServerId, userId: UserId }),
  "role:created": v.object({ role: Role }),
  "role:updated": v.object({ role: Role }),
  "role:deleted": v.object({ serverId: ServerId, roleId: RoleId }),
  /** The conversation was opened, or this person was added to it. */
  "dm:created": v.object({ channel: DirectChannel }),
  /** Who is in it has changed. */
  "dm:updated": v.object({ channelId: ChannelId, ownerId: v.nullable(UserId), participants: v.array(User) }),
  /** This person left, or was removed. */
  "dm:removed": v.object({ channelId: ChannelId }),
  /** To both, on all their connections: one asks the other for friendship. */
  "friend:requested": v.object({ fromId: UserId, toId: UserId }),
  /** The reader and this person are friends now. */
  "friend:accepted": v.object({ userId: UserId }),
  /** They are friends no longer, or neither asks the other any more. */
  "friend:removed": v.object({ userId: UserId }),
  /** To the person who blocked another, on all their connections; the other is not told. */
  "friend:blocked": v.object({ userId: UserId }),
  /** They took it back. */
  "friend:unblocked": v.object({ userId: UserId }),
  /** Envelopes for this socket's device, in order; the same ones come again until `keys:ack`. */
  "keys:received": v.object({ messages: v.array(Envelope) }),
  /** To a device with fewer than 10 one-time keys of a kind: how many are left of the rarer kind. */
  "keys:low": v.object({ remaining: v.pipe(v.number(), v.integer(), v.minValue(0)) }),
  /** To the person and to all who share a direct conversation with them: a new device list, perhaps a new identity. */
  "keys:changed": v.object({ userId: UserId, identityKey: EcPublicKey, version: ListVersion }),
  /** What a new browser of this person waits for is there to be taken. */
  "keys:handoff": v.object({ id: HandoffId }),
  "session:revoked": v.object({ sessionId: SessionId }),
} as const;

export type DownEvent = keyof typeof DOWN;
export type DownBody<E extends DownEvent> = v.InferOutput<(typeof DOWN)[E]>;
/** Any event with its body, for queues that hold several kinds. */
export type AnyDown = { [E in DownEvent]: { readonly event: E; readonly body: DownBody<E> } }[DownEvent];

/** `data` of a refused Socket.IO connection (`connect_error`): `token_expired` means refresh and try again. */
export const ConnectRefusal = v.object({ code: ErrorCode, retryAfterMs: v.optional(v.number()) });
export type ConnectRefusal = v.InferOutput<typeof ConnectRefusal>;
