import type { ChannelId } from "@lescopains/protocol/ids";
import type { CloseReason } from "@lescopains/protocol/sfu/room";
import type { NodeId, RoomClaims } from "@lescopains/protocol/sfu/token";
import type { Slot, WorkerPool } from "../media/pool.ts";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import type { Peer } from "./peer.ts";
import { Room, type RoomEvents, type RoomOptions } from "./room.ts";

export interface RoomsOptions {
  readonly nodeId: NodeId;
  readonly pool: WorkerPool;
  readonly peersPerWorker: number;
  readonly events: Omit<RoomEvents, "emptied">;
  readonly voided: RoomOptions["voided"];
}

export interface Place {
  readonly room: Room;
  readonly peer: Peer;
}

/** The rooms of this node: made when the first person comes, gone when the last leaves. */
export class Rooms {
  readonly #rooms = new Map<ChannelId, Room>();
  readonly #options: RoomsOptions;

  constructor(options: RoomsOptions) {
    this.#options = options;
  }

  get all(): readonly Room[] {
    return [...this.#rooms.values()];
  }

  get(id: ChannelId): Room | undefined {
    return this.#rooms.get(id);
  }

  get peers(): readonly Peer[] {
    return this.all.flatMap((room) => [...room.peers.values()]);
  }

  /** A room that is plain and has become encrypted is closed and made anew; one that is encrypted stays so, whatever a token says. */
  async join(claims: RoomClaims): Promise<Outcome<Place>> {
    let room = this.#rooms.get(claims.room);
    if (room !== undefined && room.probe !== (claims.probe === true)) {
      return refuse("forbidden", "a check joins no room of people");
    }
    if (room !== undefined && claims.enc && !room.encrypted) {
      room.close("encrypted");
      room = undefined;
    }
    room ??= this.#open(claims);
    const joined = await room.join(claims);
    return joined.ok ? ok({ room, peer: joined.value }) : joined;
  }

  #open({ room: id, enc: encrypted, probe = false }: RoomClaims): Room {
    const { events } = this.#options;
    const emptied = (emptiedRoom: Room): void => {
      if (this.#rooms.get(id) === emptiedRoom) this.#rooms.delete(id);
    };
    const room = new Room({ ...this.#options, id, encrypted, probe, events: { ...events, emptied } });
    this.#rooms.set(id, room);
    return room;
  }

  workerDied(slot: Slot): void {
    for (const room of this.#rooms.values()) room.workerDied(slot);
  }

  closeAll(reason: CloseReason): void {
    for (const room of this.#rooms.values()) room.close(reason);
  }
}
