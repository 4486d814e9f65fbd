import type { SfuAnswer, SfuBody, SfuRequest } from "@lescopains/protocol/sfu/requests";
import { type Outcome, ok } from "@lescopains/protocol/outcome";
import { closeTransport } from "../rooms/closing.ts";
import { closeConsumer, consume, pauseConsumer, withConsumer } from "../rooms/consuming.ts";
import { closeDataConsumer, closeDataProducer, consumeData, produceData } from "../rooms/data.ts";
import type { Peer } from "../rooms/peer.ts";
import { closeProducer, pauseProducer, produce } from "../rooms/producing.ts";
import type { Room } from "../rooms/room.ts";
import { connectTransport, openTransport, restartIce } from "../rooms/transports.ts";

interface Handler<R extends SfuRequest> {
  /** Points of the peer's bucket: what it costs the worker. */
  readonly cost: number;
  handle(room: Room, peer: Peer, body: SfuBody<R>): Promise<Outcome<SfuAnswer<R> | object>> | Outcome<object>;
}

/** What a peer may ask, and who does it. Bodies have been parsed with the contract's schemas. */
export const HANDLERS: { readonly [R in SfuRequest]: Handler<R> } = {
  transport: { cost: 20, handle: (_, peer, body) => openTransport(peer, body) },
  "transport:connect": { cost: 5, handle: (_, peer, body) => connectTransport(peer, body) },
  "transport:restart-ice": { cost: 5, handle: (_, peer, body) => restartIce(peer, body) },
  "transport:close": { cost: 1, handle: (room, peer, { transportId }) => closeTransport(room, peer, transportId) },
  produce: { cost: 10, handle: produce },
  "producer:pause": { cost: 1, handle: (room, peer, { producerId }) => pauseProducer(room, peer, producerId, true) },
  "producer:resume": { cost: 1, handle: (room, peer, { producerId }) => pauseProducer(room, peer, producerId, false) },
  "producer:close": { cost: 1, handle: (room, peer, { producerId }) => closeProducer(room, peer, producerId) },
  consume: { cost: 2, handle: consume },
  "consumer:pause": { cost: 1, handle: (_, peer, { consumerId }) => pauseConsumer(peer, consumerId, true) },
  "consumer:resume": { cost: 1, handle: (_, peer, { consumerId }) => pauseConsumer(peer, consumerId, false) },
  "consumer:close": { cost: 1, handle: (_, peer, { consumerId }) => closeConsumer(peer, consumerId) },
  "consumer:layers": {
    cost: 1,
    handle: (_, peer, { consumerId, ...layers }) =>
      withConsumer(peer, consumerId, ({ consumer }) => consumer.setLayers(layers)),
  },
  "consumer:priority": {
    cost: 1,
    handle: (_, peer, { consumerId, priority }) =>
      withConsumer(peer, consumerId, ({ consumer }) => consumer.setPriority(priority)),
  },
  // Every one of them makes the sender send a whole picture.
  "consumer:keyframe": {
    cost: 5,
    handle: (_, peer, { consumerId }) => withConsumer(peer, consumerId, ({ consumer }) => consumer.requestKeyFrame()),
  },
  "produce:data": { cost: 10, handle: produceData },
  "consume:data": { cost: 2, handle: consumeData },
  "data-producer:close": {
    cost: 1,
    handle: (room, peer, { dataProducerId }) => closeDataProducer(room, peer, dataProducerId),
  },
  "data-consumer:close": { cost: 1, handle: (_, peer, { dataConsumerId }) => closeDataConsumer(peer, dataConsumerId) },
  state: { cost: 5, handle: (room, peer) => ok(room.snapshot(peer)) },
  leave: {
    cost: 1,
    handle: (room, peer) => {
      room.leave(peer, "left");
      return ok({});
    },
  },
};

export function isRequest(name: string): name is SfuRequest {
  return Object.hasOwn(HANDLERS, name);
}
