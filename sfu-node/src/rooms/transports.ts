import { SFU_LIMITS } from "@lescopains/protocol/sfu/limits";
import type { MediaId } from "@lescopains/protocol/sfu/media";
import type { SfuAnswer, SfuBody } from "@lescopains/protocol/sfu/requests";
import type { TransportState } from "../media/port.ts";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import type { OpenTransport, Peer } from "./peer.ts";

const noTransport = refuse("not_found", "there is no such transport");

/** One of the peer's own transports, of this direction if one is given. */
export function transportOf(peer: Peer, id: MediaId, direction?: "send" | "recv"): Outcome<OpenTransport> {
  const open = peer.transports.get(id);
  if (open === undefined) return noTransport;
  if (direction !== undefined && open.direction !== direction) {
    return refuse("invalid_request", `this transport does not ${direction === "send" ? "send" : "receive"}`);
  }
  return ok(open);
}

export async function openTransport(peer: Peer, body: SfuBody<"transport">): Promise<Outcome<SfuAnswer<"transport">>> {
  if (peer.transports.size >= SFU_LIMITS.transportsPerPeer) {
    return refuse("limit_reached", `a peer has at most ${SFU_LIMITS.transportsPerPeer} transports`);
  }
  let id: MediaId | undefined;
  const onState = (state: TransportState): void => {
    const open = id === undefined ? undefined : peer.transports.get(id);
    if (id === undefined || open === undefined) return;
    open.state = state;
    if (state === "failed") peer.send("transport:failed", { transportId: id });
  };
  const created = await peer.seat.router.createTransport({ tcpOnly: body.tcpOnly, onState });
  if (!created.ok) return created;
  const transport = created.value;
  if (peer.leftFor !== undefined) {
    transport.close();
    return noTransport;
  }
  ({ id } = transport);
  const { direction, rtpCapabilities } = body;
  peer.transports.set(id, { transport, direction, rtpCapabilities, state: "new" });
  return ok({ transportId: id, ...transport.parameters });
}

export async function connectTransport(peer: Peer, body: SfuBody<"transport:connect">): Promise<Outcome<object>> {
  const open = transportOf(peer, body.transportId);
  if (!open.ok) return open;
  const connected = await open.value.transport.connect(body.dtlsParameters);
  return connected.ok ? ok({}) : connected;
}

export async function restartIce(
  peer: Peer,
  { transportId }: SfuBody<"transport:restart-ice">,
): Promise<Outcome<SfuAnswer<"transport:restart-ice">>> {
  const open = transportOf(peer, transportId);
  if (!open.ok) return open;
  const restarted = await open.value.transport.restartIce();
  return restarted.ok ? ok({ iceParameters: restarted.value }) : restarted;
}
