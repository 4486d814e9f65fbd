import * as v from "valibot";
import { DeviceId } from "./device-list.ts";
import { CallId, ChannelId, JoinId, Seq, Timestamp, UserId } from "./ids.ts";

/** What a person says of themself in a voice channel or a call. */
export const VoiceFlags = v.object({
  muted: v.boolean(),
  deafened: v.boolean(),
  screenSharing: v.boolean(),
  camera: v.boolean(),
});
export type VoiceFlags = v.InferOutput<typeof VoiceFlags>;

/** Someone in a voice channel or a call. */
export const VoiceMember = v.object({
  userId: UserId,
  /** The device whose keys encrypt their media; null: none, in a room that is not encrypted. */
  deviceId: v.nullable(DeviceId),
  /** Another one each time they come; the same when they come back after their node was lost. */
  joinId: JoinId,
  since: Timestamp,
  ...VoiceFlags.entries,
  /** A moderator's word: it holds in all voice channels of the server until a moderator takes it back. */
  serverMuted: v.boolean(),
  serverDeafened: v.boolean(),
});
export type VoiceMember = v.InferOutput<typeof VoiceMember>;

/** Someone in a direct conversation's call lets others ring. */
export const Ringing = v.object({
  callId: CallId,
  callerId: UserId,
  /** Who has neither answered nor declined. */
  userIds: v.array(UserId),
  until: Timestamp,
});
export type Ringing = v.InferOutput<typeof Ringing>;

/**
 * Who is in a voice channel or a call. `epoch` grows by one with each person who comes or goes, also over times when nobody is there: whoever
 * sees it jump has missed something and asks for the roster again.
 */
export const VoiceRoster = v.object({
  channelId: ChannelId,
  epoch: Seq,
  /** In the order they came. */
  members: v.array(VoiceMember),
  ringing: v.nullable(Ringing),
});
export type VoiceRoster = v.InferOutput<typeof VoiceRoster>;

/**
 * Why someone is no longer in a voice channel. `replaced`: they came in anew, here or elsewhere. `disconnected`, `moved`: by a moderator.
 * `forbidden`: they may no longer be there. `revoked`: their sign-in ended. `lost`: their media connection ended. `timeout`: they never had one.
 */
export const VoiceEnd = v.picklist([
  "left",
  "replaced",
  "disconnected",
  "moved",
  "forbidden",
  "revoked",
  "lost",
  "timeout",
  "deleted",
]);
export type VoiceEnd = v.InferOutput<typeof VoiceEnd>;

/** Why somebody's telephone rings no longer. `cancelled`: who called hung up. `missed`: nobody answered for 45 s. */
export const RingEnd = v.picklist(["accepted", "declined", "cancelled", "missed"]);
export type RingEnd = v.InferOutput<typeof RingEnd>;

/** A server as `RTCPeerConnection` takes it. */
const IceServer = v.object({
  urls: v.array(v.string()),
  username: v.optional(v.string()),
  credential: v.optional(v.string()),
});
export type IceServer = v.InferOutput<typeof IceServer>;

export const VoiceJoinBody = v.object({
  channelId: ChannelId,
  /** Of the place that this client still holds, with the keys that go with it: it is kept. */
  joinId: v.optional(JoinId),
});

/** Where a client brings its media. */
export const VoiceJoined = v.object({
  /** Origin of the node: Socket.IO under the path `/sfu/socket.io`, requests under `/sfu/`. */
  url: v.string(),
  /** Room token: admits to this room once, within a minute. */
  token: v.string(),
  iceServers: v.array(IceServer),
  iceTransportPolicy: v.picklist(["all", "relay"]),
  joinId: JoinId,
  roster: VoiceRoster,
});
export type VoiceJoined = v.InferOutput<typeof VoiceJoined>;

/** What a moderator does to someone in a voice channel. */
export const VoicePatch = v.object({
  muted: v.optional(v.boolean()),
  deafened: v.optional(v.boolean()),
  /** Another voice channel of the server, where they go. */
  channelId: v.optional(ChannelId),
});
export type VoicePatch = v.InferOutput<typeof VoicePatch>;
