import { SFU_LIMITS } from "@lescopains/protocol/sfu/limits";
import type { MediaId } from "@lescopains/protocol/sfu/media";
import type { SfuAnswer, SfuBody } from "@lescopains/protocol/sfu/requests";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import type { Peer } from "./peer.ts";
import type { Room } from "./room.ts";
import { transportOf } from "./transports.ts";

const noData = refuse("not_found", "there is no such data channel");

export async function produceData(
  room: Room,
  peer: Peer,
  { transportId, sctpStreamParameters, label }: SfuBody<"produce:data">,
): Promise<Outcome<SfuAnswer<"produce:data">>> {
  if (peer.dataProducers.size >= SFU_LIMITS.dataProducersPerPeer) {
    return refuse("limit_reached", `a peer sends on at most ${SFU_LIMITS.dataProducersPerPeer} data channels`);
  }
  const open = transportOf(peer, transportId, "send");
  if (!open.ok) return open;
  const produced = await open.value.transport.produceData({ sctpStreamParameters, label });
  if (!produced.ok) return produced;
  const producer = produced.value;
  if (peer.leftFor !== undefined) return noData;
  const dataProducerId = producer.id;
  peer.dataProducers.set(dataProducerId, { producer, transportId, label });
  room.broadcast("data:added", { peerId: peer.id, dataProducer: { dataProducerId, label } }, peer);
  return ok({ dataProducerId });
}

export async function consumeData(
  room: Room,
  peer: Peer,
  { transportId, dataProducerId }: SfuBody<"consume:data">,
): Promise<Outcome<SfuAnswer<"consume:data">>> {
  const owner = room.dataProducer(dataProducerId);
  if (owner === undefined || owner.peer === peer) return refuse("not_found", "nobody else in this room sends that");
  if (peer.dataConsumers.size >= SFU_LIMITS.dataConsumersPerPeer) {
    return refuse("limit_reached", `a peer receives at most ${SFU_LIMITS.dataConsumersPerPeer} data channels`);
  }
  const open = transportOf(peer, transportId, "recv");
  if (!open.ok) return open;
  const { seat } = owner.peer;
  if (seat !== peer.seat) {
    const piped = await seat.router.pipeData(dataProducerId, peer.seat.router);
    if (!piped.ok) return piped;
  }
  let id: MediaId | undefined;
  let closed = false;
  const consumed = await open.value.transport.consumeData({
    dataProducerId,
    onClosed: () => {
      closed = true;
      if (id !== undefined && peer.dataConsumers.delete(id)) {
        peer.send("data-consumer:closed", { dataConsumerId: id });
      }
    },
  });
  if (!consumed.ok) return consumed;
  const consumer = consumed.value;
  if (closed || peer.leftFor !== undefined) return noData;
  ({ id } = consumer);
  peer.dataConsumers.set(id, { consumer, transportId, dataProducerId });
  const { sctpStreamParameters } = consumer;
  return ok({ dataConsumerId: id, dataProducerId, sctpStreamParameters, label: owner.open.label });
}

export function closeDataProducer(room: Room, peer: Peer, dataProducerId: MediaId): Outcome<object> {
  const open = peer.dataProducers.get(dataProducerId);
  if (open === undefined) return noData;
  peer.dataProducers.delete(dataProducerId);
  open.producer.close();
  room.broadcast("data:removed", { peerId: peer.id, dataProducerId }, peer);
  return ok({});
}

export function closeDataConsumer(peer: Peer, dataConsumerId: MediaId): Outcome<object> {
  const open = peer.dataConsumers.get(dataConsumerId);
  if (open === undefined) return noData;
  peer.dataConsumers.delete(dataConsumerId);
  open.consumer.close();
  return ok({});
}
