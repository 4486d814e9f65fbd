import * as v from "valibot";
import { ChannelId } from "../ids.ts";
import { Layers, MediaId } from "./media.ts";
import { CloseReason, DataProducer, Peer, PeerId, Producer, Snapshot } from "./room.ts";
import { Rights } from "./token.ts";

/** Node → client, by Socket.IO. */
export const SFU_EVENTS = {
  /** The first event of every connection. */
  ready: Snapshot,
  "peer:joined": v.object({ peer: Peer }),
  "peer:left": v.object({ peerId: PeerId }),
  "producer:added": v.object({ peerId: PeerId, producer: Producer }),
  "producer:state": v.object({ peerId: PeerId, producerId: MediaId, paused: v.boolean() }),
  "producer:removed": v.object({ peerId: PeerId, producerId: MediaId }),
  "data:added": v.object({ peerId: PeerId, dataProducer: DataProducer }),
  "data:removed": v.object({ peerId: PeerId, dataProducerId: MediaId }),
  /** Its producer closed. */
  "consumer:closed": v.object({ consumerId: MediaId }),
  "data-consumer:closed": v.object({ dataConsumerId: MediaId }),
  /** Which layers are sent; null: none, for want of bandwidth or because the sender sends none. */
  "consumer:layers": v.object({ consumerId: MediaId, layers: v.nullable(Layers) }),
  /** Nothing comes through any more: restart ICE, or open another. */
  "transport:failed": v.object({ transportId: MediaId }),
  /** One's own, changed by someone who may. Producers without a right are paused until it is back. */
  rights: v.object({ rights: Rights }),
  /** Who is heard, the loudest first, in dBov (-127 to 0). Empty: silence. */
  speakers: v.object({ speakers: v.array(v.object({ peerId: PeerId, level: v.number() })) }),
  /** The last event of a room; the node closes the connection after it. */
  closed: v.object({ reason: CloseReason, channelId: v.optional(ChannelId) }),
} as const;

export type SfuEvent = keyof typeof SFU_EVENTS;
export type SfuEventBody<E extends SfuEvent> = v.InferOutput<(typeof SFU_EVENTS)[E]>;
