import type { DeviceId } from "@lescopains/protocol/device-list";
import type { AnyDown } from "@lescopains/protocol/down";
import type { ChannelId, JoinId, SessionId, UserId } from "@lescopains/protocol/ids";
import type { Right } from "@lescopains/protocol/sfu/token";
import type { VoiceEnd } from "@lescopains/protocol/voice";
import { serverActor, sfuRegistry } from "../../platform/actors.ts";
import { tellUsers } from "../../platform/tell.ts";
import { TokenBucket } from "../../socketio/engine/token-bucket.ts";
import type { Place } from "../sfu-registry/nodes.ts";
import type { Calls } from "./calls.ts";
import type { Loaded } from "./loaded.ts";
import type { Roster } from "./roster.ts";
import { rightsOf, type Seat } from "./seats.ts";
import type { VoiceKeeper, VoiceOptions } from "./voice-keeper.ts";

/** Twenty changes at once, and two a second. */
const SAYINGS = { burst: 20, framesPerSecond: 2 };

/** Who is to have a place. */
interface Sitter {
  readonly joinId: JoinId;
  readonly userId: UserId;
  readonly sessionId: SessionId;
  readonly deviceId: DeviceId | null;
}

/**
 * Gives places and ends them, and has nodes do what follows from it. Only within a change of the roster (`VoiceKeeper`): each stores first, then
 * commands the node, then tells.
 */
export class Seating {
  readonly #options: VoiceOptions;
  readonly #keeper: VoiceKeeper;
  readonly #calls: Calls;
  /** What nodes were last told that people may send. */
  readonly #told = new Map<JoinId, string>();
  /** How often people change what they say of themselves: each change is stored, and told to everyone. */
  readonly #sayings = new Map<JoinId, TokenBucket>();

  constructor(options: VoiceOptions, keeper: VoiceKeeper, calls: Calls) {
    this.#options = options;
    this.#keeper = keeper;
    this.#calls = calls;
  }

  /** [VO5] Whether somebody may say something of themself once more. */
  maySay({ joinId }: Seat): boolean {
    const nowMs = Date.now();
    const bucket = this.#sayings.get(joinId) ?? new TokenBucket(SAYINGS, nowMs);
    this.#sayings.set(joinId, bucket);
    return bucket.take(SAYINGS, 1, nowMs);
  }

  /** Nodes are told where it differs from what they were told. */
  async commandRights(roster: Roster, channel: Loaded): Promise<void> {
    for (const seat of roster.seats) {
      const rights = rightsOf(await this.#keeper.bits(channel, seat.userId), seat);
      const { node, joinId } = seat;
      if (node === null || this.#told.get(joinId) === rights.join()) continue;
      await this.order((registry) => registry.rights(node, this.#options.id, joinId, rights));
      this.#told.set(joinId, rights.join());
    }
  }

  /** In answer to what a node said of somebody, it is told what they may send. */
  toldRights(joinId: JoinId, rights: readonly Right[]): void {
    this.#told.set(joinId, rights.join());
  }

  /** An actor that was being evicted or moved refuses one call and takes the next. */
  async order(give: (registry: ReturnType<typeof sfuRegistry>) => Promise<void>): Promise<void> {
    const registry = sfuRegistry(this.#options.env);
    await give(registry).catch(() => give(registry));
  }

  /** Their node is gone, and the place is kept for a while. */
  async displace(roster: Roster, seats: readonly Seat[]): Promise<void> {
    if (seats.length === 0) return;
    await roster.displaced(seats);
    for (const { joinId } of seats) this.#told.delete(joinId);
    this.callBack(seats);
  }

  /** [VO22] These are asked to come to another node. */
  callBack(seats: readonly Seat[]): void {
    for (const { userId, joinId } of seats) {
      void tellUsers(this.#options.env, [userId], {
        event: "voice:rejoin",
        body: { channelId: this.#options.id, joinId },
      });
    }
  }

  /** Undefined: the channel or the sign-in is gone. */
  async open(
    roster: Roster,
    channel: Loaded,
    { joinId, userId, sessionId, deviceId }: Sitter,
    node: string | null,
  ): Promise<Seat | undefined> {
    const seat = await roster.open({ joinId, userId, sessionId, deviceId, node });
    if (seat === undefined) return undefined;
    this.#options.tell(channel, [roster.stateOf(seat)]);
    this.#tellPresence(channel, userId, true);
    await this.#calls.joined(roster, channel, userId);
    return seat;
  }

  /** A place that is kept. While its media is on that node, it needs no time to get there. */
  async goOn(roster: Roster, held: Seat, place: Place | null): Promise<Seat | undefined> {
    if (place === null || (held.node === place.node && held.dueMs === null)) return held;
    return roster.place(held, place.node);
  }

  /** The nodes have done it, and everyone is told, when this resolves. */
  async end(roster: Roster, channel: Loaded, seats: readonly Seat[], reason: VoiceEnd, to?: ChannelId): Promise<void> {
    if (seats.length === 0) return;
    const events: AnyDown[] = [...this.#calls.hungUp(seats), ...(await roster.close(seats, reason))];
    const { id } = this.#options;
    await Promise.all(
      seats.map(async ({ node, joinId }) => {
        if (node === null) return;
        await this.order((registry) =>
          to === undefined ? registry.kick(node, id, joinId) : registry.move(node, id, joinId, to),
        );
      }),
    );
    this.#options.tell(channel, events);
    for (const { userId, joinId } of seats) {
      this.#told.delete(joinId);
      this.#sayings.delete(joinId);
      this.#tellPresence(channel, userId, false);
      // Who is moved is told when they have arrived.
      if (to !== undefined) continue;
      void tellUsers(this.#options.env, [userId], {
        event: "voice:ended",
        body: { channelId: this.#options.id, joinId, reason },
      });
    }
  }

  #tellPresence({ access }: Loaded, userId: UserId, isIn: boolean): void {
    if (!("serverId" in access)) return;
    serverActor(this.#options.env, access.serverId)
      .voiceChanged(this.#options.id, userId, isIn)
      .catch((error: unknown) => this.#keeper.failed("presence was not told", error));
  }
}
