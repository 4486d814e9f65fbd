import * as v from "valibot";
import { DeviceId } from "../device-list.ts";
import { UserId } from "../ids.ts";
import { MediaId, MediaKind, RtpCapabilities, Source } from "./media.ts";
import { NodeId, Rights } from "./token.ts";

export const PeerId = v.pipe(v.string(), v.uuid());
export type PeerId = v.InferOutput<typeof PeerId>;

/** `paused`: by its owner, or because its owner lost the right. */
export const Producer = v.object({ producerId: MediaId, source: Source, kind: MediaKind, paused: v.boolean() });
export type Producer = v.InferOutput<typeof Producer>;

export const DataProducer = v.object({ dataProducerId: MediaId, label: v.string() });
export type DataProducer = v.InferOutput<typeof DataProducer>;

/** One device of one person in a room. */
export const Peer = v.object({
  peerId: PeerId,
  userId: UserId,
  deviceId: v.nullable(DeviceId),
  producers: v.array(Producer),
  dataProducers: v.array(DataProducer),
});
export type Peer = v.InferOutput<typeof Peer>;

/** A room as one of its people sees it. */
export const Snapshot = v.object({
  nodeId: NodeId,
  /** Oneself. */
  peer: Peer,
  /** With the token, this takes the place back within 15 s of losing the socket. Known to nobody else. */
  resumeKey: v.string(),
  rights: Rights,
  encrypted: v.boolean(),
  /** What the room carries: for `Device.load`. */
  rtpCapabilities: RtpCapabilities,
  /** Everybody else. */
  peers: v.array(Peer),
  /** What one has open here, after a reconnect. */
  transports: v.array(v.object({ transportId: MediaId, direction: v.picklist(["send", "recv"]) })),
  consumers: v.array(v.object({ consumerId: MediaId, producerId: MediaId, paused: v.boolean() })),
  dataConsumers: v.array(v.object({ dataConsumerId: MediaId, dataProducerId: MediaId })),
});
export type Snapshot = v.InferOutput<typeof Snapshot>;

/** Why someone is no longer in a room, and what their client does about it. */
export const CLOSE_REASONS = {
  /** Asked for. */
  left: "stay away",
  /** The socket, or everything, was lost for 15 s. */
  lost: "rejoin",
  kicked: "stay away",
  /** `channelId` is where to. */
  moved: "join there",
  /** The same device joined again. */
  replaced: "stay away",
  room_closed: "stay away",
  /** The room became encrypted. */
  encrypted: "rejoin",
  worker_died: "rejoin",
  /** The node is being taken out of service. */
  draining: "rejoin",
  flood: "stay away",
} as const;
export type CloseReason = keyof typeof CLOSE_REASONS;
export const CloseReason = v.picklist(Object.keys(CLOSE_REASONS) as [CloseReason, ...CloseReason[]]);
