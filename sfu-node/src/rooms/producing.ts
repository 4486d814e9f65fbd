import { SFU_LIMITS } from "@lescopains/protocol/sfu/limits";
import type { MediaId } from "@lescopains/protocol/sfu/media";
import type { SfuAnswer, SfuBody } from "@lescopains/protocol/sfu/requests";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import type { OpenProducer, Peer } from "./peer.ts";
import type { Room } from "./room.ts";
import { transportOf } from "./transports.ts";

const noProducer = refuse("not_found", "there is no such producer");

/** Starts to send one source. A source is sent once: the frame keys of an encrypted room are bound to it. */
export async function produce(
  room: Room,
  peer: Peer,
  { transportId, source, kind, rtpParameters, paused: wantsPause }: SfuBody<"produce">,
): Promise<Outcome<SfuAnswer<"produce">>> {
  if (!peer.may(source)) return refuse("forbidden", `this needs the right to send ${source}`);
  if ([...peer.producers.values()].some((open) => open.source === source)) {
    return refuse("conflict", `${source} is sent already: close that producer first`);
  }
  if (peer.producers.size >= SFU_LIMITS.producersPerPeer) {
    return refuse("limit_reached", `a peer has at most ${SFU_LIMITS.producersPerPeer} producers`);
  }
  const transport = transportOf(peer, transportId, "send");
  if (!transport.ok) return transport;
  const produced = await transport.value.transport.produce({ kind, rtpParameters, paused: wantsPause });
  if (!produced.ok) return produced;
  const producer = produced.value;
  if (peer.leftFor !== undefined) return noProducer;
  const open: OpenProducer = { producer, source, transportId, wantsPause, paused: wantsPause };
  peer.producers.set(producer.id, open);
  const { id: producerId } = producer;
  room.broadcast(
    "producer:added",
    { peerId: peer.id, producer: { producerId, source, kind, paused: wantsPause } },
    peer,
  );
  room.sourcesChanged(peer);
  // The right may have gone while the worker was asked.
  await room.applyPause(peer, open);
  return ok({ producerId });
}

/** Pauses or resumes one's own producer; without the right, resuming is refused. */
export async function pauseProducer(
  room: Room,
  peer: Peer,
  producerId: MediaId,
  wantsPause: boolean,
): Promise<Outcome<object>> {
  const open = peer.producers.get(producerId);
  if (open === undefined) return noProducer;
  if (!wantsPause && !peer.may(open.source)) {
    return refuse("forbidden", `this needs the right to send ${open.source}`);
  }
  open.wantsPause = wantsPause;
  await room.applyPause(peer, open);
  return ok({});
}

export function closeProducer(room: Room, peer: Peer, producerId: MediaId): Outcome<object> {
  const open = peer.producers.get(producerId);
  if (open === undefined) return noProducer;
  peer.producers.delete(producerId);
  open.producer.close();
  room.broadcast("producer:removed", { peerId: peer.id, producerId }, peer);
  room.sourcesChanged(peer);
  return ok({});
}
