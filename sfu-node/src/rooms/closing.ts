import type { MediaId } from "@lescopains/protocol/sfu/media";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import { closeDataProducer } from "./data.ts";
import type { Peer } from "./peer.ts";
import { closeProducer } from "./producing.ts";
import type { Room } from "./room.ts";

/** Closes one of the peer's transports and what is on it; others are told of what they can no longer receive. */
export function closeTransport(room: Room, peer: Peer, transportId: MediaId): Outcome<object> {
  const open = peer.transports.get(transportId);
  if (open === undefined) return refuse("not_found", "there is no such transport");
  peer.transports.delete(transportId);
  for (const [id, one] of peer.producers) if (one.transportId === transportId) closeProducer(room, peer, id);
  for (const [id, one] of peer.dataProducers) if (one.transportId === transportId) closeDataProducer(room, peer, id);
  for (const [id, one] of peer.consumers) if (one.transportId === transportId) peer.consumers.delete(id);
  for (const [id, one] of peer.dataConsumers) if (one.transportId === transportId) peer.dataConsumers.delete(id);
  open.transport.close();
  return ok({});
}
