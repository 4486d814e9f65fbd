import { SFU_LIMITS } from "@lescopains/protocol/sfu/limits";
import type { MediaId } from "@lescopains/protocol/sfu/media";
import type { SfuAnswer, SfuBody } from "@lescopains/protocol/sfu/requests";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import type { OpenConsumer, Peer } from "./peer.ts";
import type { Room } from "./room.ts";
import { transportOf } from "./transports.ts";

const noConsumer = refuse("not_found", "there is no such consumer");
const noListening = refuse("forbidden", "this needs the right to listen");

/** Starts to receive what someone in this room sends, paused. From another worker it is piped first. */
export async function consume(
  room: Room,
  peer: Peer,
  { transportId, producerId, layers }: SfuBody<"consume">,
): Promise<Outcome<SfuAnswer<"consume">>> {
  const owner = room.producer(producerId);
  if (owner === undefined || owner.peer === peer) return refuse("not_found", "nobody else in this room sends that");
  if (peer.consumers.size >= SFU_LIMITS.consumersPerPeer) {
    return refuse("limit_reached", `a peer has at most ${SFU_LIMITS.consumersPerPeer} consumers`);
  }
  if (!peer.mayReceive(owner.open.producer.kind)) return noListening;
  const open = transportOf(peer, transportId, "recv");
  if (!open.ok) return open;
  const { transport, rtpCapabilities } = open.value;
  if (rtpCapabilities === undefined) throw new Error("a transport that receives nothing");
  const { seat } = owner.peer;
  if (seat !== peer.seat) {
    const piped = await seat.router.pipe(producerId, peer.seat.router);
    if (!piped.ok) return piped;
  }
  let id: MediaId | undefined;
  let closed = false;
  const consumed = await transport.consume({
    producerId,
    rtpCapabilities,
    layers,
    onClosed: () => {
      closed = true;
      if (id !== undefined && peer.consumers.delete(id)) peer.send("consumer:closed", { consumerId: id });
    },
    onLayers: (current) => id !== undefined && peer.send("consumer:layers", { consumerId: id, layers: current }),
  });
  if (!consumed.ok) return consumed;
  const consumer = consumed.value;
  if (closed || peer.leftFor !== undefined) return noConsumer;
  ({ id } = consumer);
  peer.consumers.set(id, { consumer, producerId, transportId, wantsPause: true, paused: true });
  const { kind, type, rtpParameters } = consumer;
  return ok({ consumerId: id, producerId, kind, type, rtpParameters, producerPaused: owner.open.paused });
}

/** Does something to one of the peer's own consumers. */
export async function withConsumer(
  peer: Peer,
  consumerId: MediaId,
  act: (open: OpenConsumer) => Promise<void>,
): Promise<Outcome<object>> {
  const open = peer.consumers.get(consumerId);
  if (open === undefined) return noConsumer;
  await act(open);
  return ok({});
}

/** Pauses or resumes one's own consumer; without the right, resuming is refused. */
export async function pauseConsumer(peer: Peer, consumerId: MediaId, wantsPause: boolean): Promise<Outcome<object>> {
  const open = peer.consumers.get(consumerId);
  if (open === undefined) return noConsumer;
  if (!wantsPause && !peer.mayReceive(open.consumer.kind)) return noListening;
  open.wantsPause = wantsPause;
  await applyReceiving(peer, open);
  return ok({});
}

/** Pauses or resumes a consumer as its owner wants and may. */
export async function applyReceiving(peer: Peer, open: OpenConsumer): Promise<void> {
  const paused = open.wantsPause || !peer.mayReceive(open.consumer.kind);
  if (paused === open.paused) return;
  open.paused = paused;
  // Orders reach the worker in the order of these lines, so the last one holds.
  await (paused ? open.consumer.pause() : open.consumer.resume());
}

export function closeConsumer(peer: Peer, consumerId: MediaId): Promise<Outcome<object>> {
  return withConsumer(peer, consumerId, async ({ consumer }) => {
    peer.consumers.delete(consumerId);
    consumer.close();
  });
}
