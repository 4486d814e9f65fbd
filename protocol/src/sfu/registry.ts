import * as v from "valibot";
import { DeviceId } from "../device-list.ts";
import { ChannelId, JoinId, SessionId, UserId } from "../ids.ts";
import { Source } from "./media.ts";
import { CloseReason, PeerId } from "./room.ts";
import { NodeId, Rights } from "./token.ts";

/**
 * Node ↔ edge, over one WebSocket that the node opens: JSON texts, one message each. The node brings
 * `Authorization: Bearer <JWT, HS256 with the shared secret>`, claims `{iss: nodeId, aud: "sfu-registry", iat, exp}`, 60 s.
 */

const count = v.pipe(v.number(), v.minValue(0));

export const NodeLoad = v.object({
  /** Of the busiest worker: 0 to 1. */
  cpu: count,
  rooms: count,
  peers: count,
  /** Bits a second of all transports. */
  bitrateIn: count,
  bitrateOut: count,
});
export type NodeLoad = v.InferOutput<typeof NodeLoad>;

/** Somebody who is in a room. */
export const Presence = v.object({
  peerId: PeerId,
  /** Of their token. */
  joinId: JoinId,
  userId: UserId,
  deviceId: v.nullable(DeviceId),
  sessionId: SessionId,
  /** What they send now; paused sources are not in it. */
  sources: v.array(Source),
});
export type Presence = v.InferOutput<typeof Presence>;

/** Node → edge. */
export const FromNode = v.variant("type", [
  /** First of every connection: the whole truth about this node. What the edge knew before about it is void. */
  v.object({
    type: v.literal("register"),
    nodeId: NodeId,
    region: v.string(),
    /** Where clients reach its signalling, without a slash at the end. */
    url: v.string(),
    version: v.string(),
    /** When this process started, ms: another number means that nobody from before is there. */
    startedAt: v.number(),
    workers: count,
    draining: v.boolean(),
    load: NodeLoad,
    rooms: v.array(v.object({ roomId: ChannelId, encrypted: v.boolean(), peers: v.array(Presence) })),
    /** The edge proves that it knows the secret by `proof` in `welcome`. */
    nonce: v.string(),
  }),
  /** Each second. Silent for 3 s: the node is dead. */
  v.object({ type: v.literal("heartbeat"), draining: v.boolean(), load: NodeLoad }),
  v.object({ type: v.literal("joined"), roomId: ChannelId, peer: Presence }),
  v.object({ type: v.literal("sources"), roomId: ChannelId, peerId: PeerId, sources: v.array(Source) }),
  v.object({
    type: v.literal("left"),
    roomId: ChannelId,
    peerId: PeerId,
    userId: UserId,
    sessionId: SessionId,
    reason: CloseReason,
  }),
  /** A command was carried out; `found`: whether there was anyone or anything that it concerned. */
  v.object({ type: v.literal("done"), id: v.string(), found: v.boolean() }),
]);
export type FromNode = v.InferOutput<typeof FromNode>;

/** `requestId`: of the request that brought it about, for the logs of both. */
const command = {
  id: v.pipe(v.string(), v.maxLength(64)),
  requestId: v.optional(v.pipe(v.string(), v.maxLength(64))),
};
/** Whoever came to that room by a token of this stay. */
const who = { roomId: ChannelId, joinId: JoinId };

/** Edge → node. Everything but `welcome` and `beat` is a command, answered by `done`; a command may be sent again. */
export const FromEdge = v.variant("type", [
  /** `proof`: base64url of HMAC-SHA-256 with the shared secret over `<nodeId> <nonce>`. Commands before it are ignored. */
  v.object({ type: v.literal("welcome"), proof: v.string() }),
  /** The answer to each heartbeat. A node that hears nothing for 3 s connects anew. */
  v.object({ type: v.literal("beat") }),
  /** The stay has ended: nobody of it goes on here, and none of its tokens is taken any more, used or not. */
  v.object({ type: v.literal("kick"), ...command, ...who }),
  /** All rights from now on: a server mute is the rights without `speak`, a server deafen those without `listen`. */
  v.object({ type: v.literal("rights"), ...command, ...who, rights: Rights }),
  /** As `kick`; the client is told to join `channelId`, and the edge gives it a token when it asks. */
  v.object({ type: v.literal("move"), ...command, ...who, channelId: ChannelId }),
  /** `voids`: tokens that are not taken any more: all of this room, which is no more, or those of when it was not encrypted. */
  v.object({
    type: v.literal("close-room"),
    ...command,
    roomId: ChannelId,
    voids: v.optional(v.picklist(["all", "plain"])),
  }),
  /** No new rooms. Those that are there go on until they empty, at most for `deadlineMs`. */
  v.object({ type: v.literal("drain"), ...command, deadlineMs: count }),
  v.object({ type: v.literal("undrain"), ...command }),
]);
export type FromEdge = v.InferOutput<typeof FromEdge>;
export type Command = Exclude<FromEdge, { type: "welcome" | "beat" }>;
