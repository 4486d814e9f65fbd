import * as v from "valibot";
import { DeviceId } from "../device-list.ts";
import { ChannelId, JoinId, SessionId, UserId } from "../ids.ts";
import type { Source } from "./media.ts";

/** What an SFU node is called; chosen by who runs it. */
export const NodeId = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "a name of a-z, 0-9 and -"));
export type NodeId = v.InferOutput<typeof NodeId>;

/** What a person may send (`screen` includes its sound), and whether they hear the others: `listen`. Everybody may see. */
export const Right = v.picklist(["speak", "video", "screen", "listen"]);
export type Right = v.InferOutput<typeof Right>;
/** Which right a source needs to be sent. */
export const RIGHT_OF: Readonly<Record<Source, Right>> = {
  audio: "speak",
  camera: "video",
  screen: "screen",
  "screen-audio": "screen",
};
export const Rights = v.pipe(v.array(Right), v.maxLength(4));

const seconds = v.pipe(v.number(), v.integer());

/** Claims of a room token: JWT, EdDSA over Ed25519, valid for 60 s from `iat`. It joins one room on one node, once. */
export const RoomClaims = v.object({
  /** The node. */
  aud: NodeId,
  sub: UserId,
  sid: SessionId,
  /** The stay that it is for: its place at the edge. What was signed for a stay is good for nothing once that has ended. */
  joinId: JoinId,
  /** The device it speaks for; null only where the room is not encrypted. */
  did: v.nullable(DeviceId),
  /** A room is a channel: of a server, or of a direct conversation. */
  room: ChannelId,
  rights: Rights,
  /** Whether what the room carries is encrypted by its people. A room never goes back to plain. */
  enc: v.boolean(),
  /** A check by whoever runs the node (`npm run doctor`): its room is nobody else's, and the edge is not told of it. */
  probe: v.optional(v.boolean()),
  jti: v.pipe(v.string(), v.uuid()),
  iat: seconds,
  exp: seconds,
});
export type RoomClaims = v.InferOutput<typeof RoomClaims>;
