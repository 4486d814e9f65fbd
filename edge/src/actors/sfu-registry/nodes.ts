import type { ChannelId } from "@lescopains/protocol/ids";
import type { FromNode, NodeLoad, Presence } from "@lescopains/protocol/sfu/registry";
import type { CloseReason, PeerId } from "@lescopains/protocol/sfu/room";
import type { NodeId } from "@lescopains/protocol/sfu/token";

export type Registration = Extract<FromNode, { type: "register" }>;
export type Change = Extract<FromNode, { type: "joined" | "sources" | "left" }>;

/** Where a room's media goes. */
export interface Place {
  readonly node: NodeId;
  readonly url: string;
}

/** Someone who is no longer in a room of a node. */
export interface Gone extends Omit<Presence, "peerId" | "sources"> {
  readonly reason: CloseReason;
}

/** Goings of a room that are remembered until its channel has asked: more than can happen in between. */
const GONE_MAX = 500;

/** What a node is and has, by its own word. */
export class SfuNode {
  readonly id: NodeId;
  readonly url: string;
  readonly region: string;
  readonly version: string;
  readonly startedAt: number;
  draining: boolean;
  /** False while it is expected back. */
  reachable = true;
  load: NodeLoad;
  /** Rooms whose channels have not heard of what happened there. */
  readonly news = new Set<ChannelId>();
  readonly #rooms = new Map<ChannelId, Map<PeerId, Presence>>();
  readonly #gone = new Map<ChannelId, Gone[]>();
  readonly #reported = new Map<ChannelId, number>();

  constructor({ nodeId, url, region, version, startedAt, draining, load, rooms }: Registration) {
    this.id = nodeId;
    this.url = url;
    this.region = region;
    this.version = version;
    this.startedAt = startedAt;
    this.draining = draining;
    this.load = load;
    for (const { roomId, peers } of rooms) {
      this.#rooms.set(roomId, new Map(peers.map((peer) => [peer.peerId, peer])));
      this.news.add(roomId);
    }
  }

  has(roomId: ChannelId): boolean {
    return this.#rooms.has(roomId);
  }

  get rooms(): ChannelId[] {
    return [...this.#rooms.keys()];
  }

  take(change: Change): void {
    const { roomId } = change;
    if (change.type === "joined") this.#room(roomId).set(change.peer.peerId, change.peer);
    else if (change.type === "sources") this.#sources(roomId, change.peerId, change.sources);
    else this.#leave(roomId, change.peerId, change.reason);
    if (change.type !== "sources") this.news.add(roomId);
  }

  /** Who is in a room, and who went since its channel took in what it was told. */
  report(roomId: ChannelId): { peers: Presence[]; gone: Gone[] } {
    const gone = this.#gone.get(roomId) ?? [];
    this.#reported.set(roomId, gone.length);
    return { peers: [...(this.#rooms.get(roomId)?.values() ?? [])], gone };
  }

  /** The channel has taken in the last report. */
  taken(roomId: ChannelId): void {
    const gone = this.#gone.get(roomId)?.slice(this.#reported.get(roomId)) ?? [];
    this.#reported.delete(roomId);
    if (gone.length === 0) this.#gone.delete(roomId);
    else this.#gone.set(roomId, gone);
  }

  #room(roomId: ChannelId): Map<PeerId, Presence> {
    let room = this.#rooms.get(roomId);
    if (room === undefined) this.#rooms.set(roomId, (room = new Map()));
    return room;
  }

  #sources(roomId: ChannelId, peerId: PeerId, sources: Presence["sources"]): void {
    const room = this.#rooms.get(roomId);
    const peer = room?.get(peerId);
    if (peer !== undefined) room?.set(peerId, { ...peer, sources });
  }

  #leave(roomId: ChannelId, peerId: PeerId, reason: CloseReason): void {
    const room = this.#rooms.get(roomId);
    const peer = room?.get(peerId);
    if (room === undefined || peer === undefined) return;
    room.delete(peerId);
    if (room.size === 0) this.#rooms.delete(roomId);
    const { joinId, userId, deviceId, sessionId } = peer;
    const gone = [...(this.#gone.get(roomId) ?? []), { joinId, userId, deviceId, sessionId, reason }];
    this.#gone.set(roomId, gone.slice(-GONE_MAX));
  }
}

/**
 * [VO21] The node of a room: where it is already, also while that node is being emptied and has it still; else the least busy one of the
 * region, else of the world.
 */
export function choose(
  nodes: readonly SfuNode[],
  roomId: ChannelId,
  current: readonly string[],
  region: string | null,
): Place | null {
  const here = nodes.find((node) => current.includes(node.id) && (!node.draining || node.has(roomId)));
  const open = nodes.filter(({ draining, reachable }) => reachable && !draining);
  const near = open.filter((node) => node.region === region);
  const [best] = (near.length > 0 ? near : open).toSorted(
    (a, b) => a.load.cpu - b.load.cpu || a.load.peers - b.load.peers || (a.id < b.id ? -1 : 1),
  );
  const chosen = here ?? best;
  return chosen === undefined ? null : { node: chosen.id, url: chosen.url };
}
