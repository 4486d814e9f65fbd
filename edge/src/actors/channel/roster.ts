import type { AnyDown } from "@lescopains/protocol/down";
import type { DeviceId } from "@lescopains/protocol/device-list";
import type { ChannelId, JoinId, SessionId, UserId } from "@lescopains/protocol/ids";
import { PERIODS } from "@lescopains/protocol/limits";
import type { VoiceEnd, VoiceFlags, VoiceRoster } from "@lescopains/protocol/voice";
import type { Database } from "../../db/port.ts";
import { closeSeats, connectSeats, loseNode, openSeat, placeSeat, seatsOfChannel, setFlags } from "../../db/voice.ts";
import { memberOf, rosterOf, type Seat } from "./seats.ts";

/** Whoever has no media on a node has this long to bring it. */
const DUE_SECONDS = PERIODS.voiceConnectMs / 1_000;

export interface NewSeat {
  readonly joinId: JoinId;
  readonly userId: UserId;
  readonly sessionId: SessionId;
  readonly deviceId: DeviceId | null;
  readonly node: string | null;
}

/**
 * Who is in one voice channel or call. PostgreSQL's open rows are the record; this is a copy of them, kept by the only one who writes
 * them. Each change is stored first, and answers what is to be told. Throws `DatabaseError`; what is in memory is then not to be used any more.
 */
export class Roster {
  readonly #db: Database;
  readonly #channelId: ChannelId;
  readonly #seats: Map<UserId, Seat>;
  #epoch: number;

  constructor(db: Database, channelId: ChannelId, epoch: number, seats: readonly Seat[]) {
    this.#db = db;
    this.#channelId = channelId;
    this.#epoch = epoch;
    this.#seats = new Map(seats.map((seat) => [seat.userId, seat]));
  }

  static async load(db: Database, channelId: ChannelId): Promise<Roster> {
    const rows = await db.query(seatsOfChannel, [channelId]);
    const seats = rows.filter((row) => row.joinId !== null);
    return new Roster(db, channelId, rows[0]?.epoch ?? 0, seats);
  }

  get seats(): Seat[] {
    return [...this.#seats.values()];
  }

  get size(): number {
    return this.#seats.size;
  }

  of(userId: UserId): Seat | undefined {
    return this.#seats.get(userId);
  }

  view(): VoiceRoster {
    return rosterOf(this.#channelId, this.#epoch, this.seats);
  }

  /** Violates a unique key when the person has a place elsewhere. Undefined: the channel is gone. */
  async open({ joinId, userId, sessionId, deviceId, node }: NewSeat): Promise<Seat | undefined> {
    const values = [this.#channelId, joinId, userId, sessionId, deviceId, node, DUE_SECONDS] as const;
    const [row] = await this.#db.query(openSeat, [...values]);
    if (row === undefined) return undefined;
    const { epoch, ...seat } = row;
    this.#epoch = epoch;
    this.#seats.set(userId, seat);
    return seat;
  }

  /** Ends places, also those whose rows went with something else. */
  async close(seats: readonly Seat[], reason: VoiceEnd): Promise<AnyDown[]> {
    const rows = await this.#db.query(closeSeats, [this.#channelId, seats.map(({ joinId }) => joinId), reason]);
    const last = rows[0]?.epoch ?? this.#epoch;
    const first = last - rows.length + 1;
    this.#epoch = last;
    return seats.map(({ userId, joinId }, index) => {
      this.#seats.delete(userId);
      const epoch = Math.min(first + index, last);
      return { event: "voice:state", body: { channelId: this.#channelId, epoch, userId, joinId, member: null } };
    });
  }

  async say(seat: Seat, flags: VoiceFlags): Promise<Seat | undefined> {
    const { muted, deafened, camera, screenSharing } = flags;
    const [row] = await this.#db.query(setFlags, [seat.joinId, muted, deafened, camera, screenSharing]);
    return row && this.put({ ...seat, ...flags });
  }

  async place(seat: Seat, node: string): Promise<Seat | undefined> {
    const [row] = await this.#db.query(placeSeat, [seat.joinId, node, DUE_SECONDS]);
    return row && this.put({ ...seat, node, dueMs: row.dueMs });
  }

  async connected(seats: readonly Seat[], node: string): Promise<void> {
    if (seats.length === 0) return;
    await this.#db.query(connectSeats, [this.#channelId, seats.map(({ joinId }) => joinId), node]);
    for (const seat of seats) this.put({ ...seat, dueMs: null, wasConnected: true });
  }

  async displaced(seats: readonly Seat[]): Promise<void> {
    const rows = await this.#db.query(loseNode, [this.#channelId, seats.map(({ joinId }) => joinId), DUE_SECONDS]);
    const due = new Map(rows.map(({ joinId, dueMs }) => [joinId, dueMs]));
    for (const seat of seats) this.put({ ...seat, node: null, dueMs: due.get(seat.joinId) ?? 0 });
  }

  /** Takes in what was stored of a seat. */
  put(seat: Seat): Seat {
    this.#seats.set(seat.userId, seat);
    return seat;
  }

  /** A seat as it is now, for everyone. */
  stateOf(seat: Seat): AnyDown {
    const { userId, joinId } = seat;
    const body = { channelId: this.#channelId, epoch: this.#epoch, userId, joinId, member: memberOf(seat) };
    return { event: "voice:state", body };
  }
}
