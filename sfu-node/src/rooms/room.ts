import type { ChannelId, JoinId } from "@lescopains/protocol/ids";
import type { SfuEvent, SfuEventBody } from "@lescopains/protocol/sfu/events";
import { SFU_LIMITS } from "@lescopains/protocol/sfu/limits";
import { type MediaId, ROOM_CODECS } from "@lescopains/protocol/sfu/media";
import type { CloseReason, PeerId, Snapshot } from "@lescopains/protocol/sfu/room";
import type { NodeId, Right, RoomClaims } from "@lescopains/protocol/sfu/token";
import type { Slot, WorkerPool } from "../media/pool.ts";
import type { MediaRouter, MediaWorker, Speaker } from "../media/port.ts";
import { type Outcome, ok, type Refusal, refuse } from "@lescopains/protocol/outcome";
import { applyReceiving } from "./consuming.ts";
import { type OpenProducer, Peer } from "./peer.ts";

/** A room's part on one worker. */
export interface Seat {
  readonly slot: Slot;
  readonly worker: MediaWorker;
  readonly router: MediaRouter;
  peers: number;
  speakers: readonly Speaker[];
}

/** What happens in rooms, for whoever reports it to the edge. */
export interface RoomEvents {
  joined(room: Room, peer: Peer): void;
  sources(room: Room, peer: Peer): void;
  left(room: Room, peer: Peer, reason: CloseReason): void;
  /** The last one left. */
  emptied(room: Room): void;
}

export interface RoomOptions {
  readonly id: ChannelId;
  readonly encrypted: boolean;
  /** Made by a check: the edge knows nothing of it. */
  readonly probe: boolean;
  readonly nodeId: NodeId;
  readonly pool: WorkerPool;
  /** With more on one worker, the next get another, and media is piped between the two. */
  readonly peersPerWorker: number;
  readonly events: RoomEvents;
  /** Why a token that was good is so no longer. */
  readonly voided: (claims: RoomClaims) => Refusal | undefined;
}

/** Levels closer than this are the same to people (dB). */
const levelStep = 3;

const full = refuse("room_full", "this room is full");
const interrupted = refuse("unavailable", "the room or its worker is just being replaced", { retryAfterMs: 500 });

function isAlive({ slot, worker }: Seat): boolean {
  return slot.worker === worker;
}

/** The people in one channel, and where their media is forwarded. Who closes whom: closures.md. */
export class Room {
  readonly id: ChannelId;
  readonly encrypted: boolean;
  readonly probe: boolean;
  readonly peers = new Map<PeerId, Peer>();
  readonly #options: RoomOptions;
  readonly #seats: Seat[] = [];
  /** Seats are taken one after the other: the second person must find the first one's. */
  #seating: Promise<unknown> = Promise.resolve();
  #joining = 0;
  #speakers: SfuEventBody<"speakers">["speakers"] = [];
  #closed = false;

  constructor(options: RoomOptions) {
    this.#options = options;
    this.id = options.id;
    this.encrypted = options.encrypted;
    this.probe = options.probe;
  }

  /** Lets someone in whose token is good. The same device's other place in this room, if there is one, is replaced. */
  async join(claims: RoomClaims): Promise<Outcome<Peer>> {
    this.#joining += 1;
    try {
      const seat = this.#isFull(claims) ? full : await this.#takeSeat();
      return seat.ok ? this.#sit(claims, seat.value) : seat;
    } finally {
      this.#joining -= 1;
      this.#endIfEmpty();
    }
  }

  /** While a seat was made, others came and went, a worker may have died, and the edge may have ended this stay. */
  #sit(claims: RoomClaims, seat: Seat): Outcome<Peer> {
    const refusal =
      this.#options.voided(claims) ??
      (this.#closed || !isAlive(seat) ? interrupted : this.#isFull(claims) ? full : undefined);
    if (refusal !== undefined) {
      this.#leaveSeat(seat);
      return refusal;
    }
    for (const before of this.#places(claims)) this.leave(before, "replaced");
    const peer = new Peer(claims, seat);
    this.peers.set(peer.id, peer);
    this.broadcast("peer:joined", { peer: peer.view() }, peer);
    this.#options.events.joined(this, peer);
    return ok(peer);
  }

  #places({ sub, did, sid }: RoomClaims): Peer[] {
    const same = (peer: Peer): boolean =>
      peer.userId === sub && (did === null ? peer.sessionId === sid : peer.deviceId === did);
    return [...this.peers.values()].filter(same);
  }

  #isFull(claims: RoomClaims): boolean {
    return this.peers.size - this.#places(claims).length >= SFU_LIMITS.peersPerRoom;
  }

  #takeSeat(): Promise<Outcome<Seat>> {
    const turn = this.#seating.then(() => this.#findSeat());
    this.#seating = turn.catch(() => undefined);
    return turn;
  }

  async #findSeat(): Promise<Outcome<Seat>> {
    const { pool, peersPerWorker } = this.#options;
    let seat = this.#seats.find(({ peers }) => peers < peersPerWorker);
    seat ??= await this.#addSeat(pool.leastLoaded(new Set(this.#seats.map(({ slot }) => slot))));
    seat ??= this.#seats.toSorted((a, b) => a.peers - b.peers)[0];
    if (seat === undefined) return interrupted;
    seat.peers += 1;
    seat.slot.peers += 1;
    return ok(seat);
  }

  async #addSeat(slot: Slot | undefined): Promise<Seat | undefined> {
    const worker = slot?.worker;
    if (slot === undefined || worker === undefined) return undefined;
    try {
      const seat: Seat = {
        slot,
        worker,
        router: await this.#makeRouter(worker, (speakers) => {
          seat.speakers = speakers;
          this.#tellSpeakers();
        }),
        peers: 0,
        speakers: [],
      };
      this.#seats.push(seat);
      return seat;
    } catch (error) {
      // It died while it was asked; whatever else it is, is a bug.
      if (slot.worker === worker) throw error;
      return undefined;
    }
  }

  #makeRouter(worker: MediaWorker, onSpeakers: (speakers: readonly Speaker[]) => void): Promise<MediaRouter> {
    return worker.createRouter({ codecs: ROOM_CODECS[this.encrypted ? "encrypted" : "plain"], onSpeakers });
  }

  #leaveSeat(seat: Seat): void {
    seat.peers -= 1;
    seat.slot.peers -= 1;
    if (seat.peers > 0) return;
    seat.router.close();
    const index = this.#seats.indexOf(seat);
    if (index !== -1) this.#seats.splice(index, 1);
  }

  #tellSpeakers(): void {
    const speakers = this.#seats
      .flatMap((seat) => seat.speakers)
      .flatMap(({ producerId, level }) => {
        const owner = this.producer(producerId);
        if (owner?.open.source !== "audio") return [];
        return [{ peerId: owner.peer.id, level: Math.round(level / levelStep) * levelStep }];
      })
      .toSorted((a, b) => b.level - a.level);
    if (JSON.stringify(speakers) === JSON.stringify(this.#speakers)) return;
    this.#speakers = speakers;
    this.broadcast("speakers", { speakers });
  }

  /** Tells one person who is heard: whoever comes hears of changes only from then on. */
  tellSpeakersTo(peer: Peer): void {
    peer.send("speakers", { speakers: this.#speakers });
  }

  /** Who sends this, if someone in this room does. */
  producer(producerId: MediaId): { readonly peer: Peer; readonly open: OpenProducer } | undefined {
    for (const peer of this.peers.values()) {
      const open = peer.producers.get(producerId);
      if (open !== undefined) return { peer, open };
    }
    return undefined;
  }

  /** The same for a data channel. */
  dataProducer(dataProducerId: MediaId) {
    for (const peer of this.peers.values()) {
      const open = peer.dataProducers.get(dataProducerId);
      if (open !== undefined) return { peer, open };
    }
    return undefined;
  }

  /** To everyone but `except`. */
  broadcast<E extends SfuEvent>(event: E, body: SfuEventBody<E>, except?: Peer): void {
    for (const peer of this.peers.values()) if (peer !== except) peer.send(event, body);
  }

  /** What someone sends has changed. */
  sourcesChanged(peer: Peer): void {
    this.#options.events.sources(this, peer);
  }

  snapshot(peer: Peer): Snapshot {
    return {
      nodeId: this.#options.nodeId,
      peer: peer.view(),
      resumeKey: peer.resumeKey,
      rights: [...peer.rights],
      encrypted: this.encrypted,
      rtpCapabilities: peer.seat.router.rtpCapabilities,
      peers: [...this.peers.values()].filter((other) => other !== peer).map((other) => other.view()),
      ...peer.belongings(),
    };
  }

  /** Ends someone's stay: nothing more is forwarded from or to them when this returns. */
  leave(peer: Peer, reason: CloseReason, channelId?: ChannelId): void {
    if (!this.peers.delete(peer.id)) return;
    peer.end(reason, channelId);
    this.#leaveSeat(peer.seat);
    this.broadcast("peer:left", { peerId: peer.id });
    this.#options.events.left(this, peer, reason);
    this.#endIfEmpty();
  }

  #endIfEmpty(): void {
    if (this.peers.size > 0 || this.#joining > 0) return;
    this.#closed = true;
    this.#options.events.emptied(this);
  }

  /** Everyone leaves. */
  close(reason: CloseReason): void {
    this.#closed = true;
    for (const peer of this.peers.values()) this.leave(peer, reason);
  }

  /** A worker died: those whose media it forwarded must come back. */
  workerDied(slot: Slot): void {
    for (const seat of this.#seats.filter((one) => one.slot === slot)) this.#seats.splice(this.#seats.indexOf(seat), 1);
    for (const peer of this.peers.values()) if (!isAlive(peer.seat)) this.leave(peer, "worker_died");
  }

  /** Who is here by a token of this stay. */
  who(joinId: JoinId): Peer[] {
    return [...this.peers.values()].filter((peer) => peer.joinId === joinId);
  }

  /** Gives someone other rights: what they send or hear without one is paused, and goes on when it is back. */
  async setRights(peer: Peer, rights: readonly Right[]): Promise<void> {
    peer.rights = new Set(rights);
    peer.send("rights", { rights: [...peer.rights] });
    await Promise.all([
      ...[...peer.producers.values()].map((open) => this.applyPause(peer, open)),
      ...[...peer.consumers.values()].map((open) => applyReceiving(peer, open)),
    ]);
  }

  /** Pauses or resumes a producer as its owner wants and may. */
  async applyPause(peer: Peer, open: OpenProducer): Promise<void> {
    const paused = open.wantsPause || !peer.may(open.source);
    if (paused === open.paused) return;
    open.paused = paused;
    // Orders reach the worker in the order of these lines, so the last one holds.
    const done = paused ? open.producer.pause() : open.producer.resume();
    this.broadcast("producer:state", { peerId: peer.id, producerId: open.producer.id, paused });
    this.sourcesChanged(peer);
    await done;
  }
}
