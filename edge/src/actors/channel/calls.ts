import type { AnyDown } from "@lescopains/protocol/down";
import type { CallId, SessionId, UserId } from "@lescopains/protocol/ids";
import { PERIODS } from "@lescopains/protocol/limits";
import type { RingEnd } from "@lescopains/protocol/voice";
import { v7 } from "uuid";
import { admit, rings } from "../../auth/limits.ts";
import { ring, ringFor } from "../../db/voice.ts";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import { tellUsers } from "../../platform/tell.ts";
import type { Loaded } from "./loaded.ts";
import type { Roster } from "./roster.ts";
import { ringingOf, type Seat } from "./seats.ts";
import type { VoiceKeeper } from "./voice-keeper.ts";

const NO_CALL = refuse("conflict", "join the call before you ring");

/**
 * Calls in a direct conversation: who is in its room lets the others ring. What rings is a part of the caller's place, so that it survives
 * what the place survives; nothing is kept of a call that is over.
 */
export class Calls {
  readonly #keeper: VoiceKeeper;

  constructor(keeper: VoiceKeeper) {
    this.#keeper = keeper;
  }

  /** [CALL1] Rings everyone who is not in the room. */
  ring(userId: UserId, sessionId: SessionId): Promise<Outcome<{ callId: CallId; until: string }>> {
    return this.#keeper.change(async (roster, channel) => {
      const { db, env, id } = this.#keeper.options;
      const people = peopleOf(channel);
      if (!people.includes(userId)) return refuse("not_found", "no such conversation");
      const seat = roster.of(userId);
      if (seat === undefined || seat.sessionId !== sessionId) return NO_CALL;
      if (ringingOf(roster.seats) !== null) return refuse("conflict", "it rings already");
      const called = people.filter((person) => roster.of(person) === undefined);
      if (called.length === 0) return refuse("conflict", "everyone is here");
      const admitted = await admit(db, [await rings(env, userId)]);
      if (!admitted.ok) return admitted;
      const callId = v7() as CallId;
      const [rung] = await db.query(ring, [id, seat.joinId, callId, called, PERIODS.ringMs / 1_000]);
      if (rung === undefined) return refuse("forbidden", "one of you has blocked the other");
      const { until } = rung;
      roster.put({ ...seat, callId, ringing: called, ringingUntil: until });
      const body = { channelId: id, callId, callerId: userId, userIds: called, until };
      this.#keeper.options.tell(channel, [{ event: "call:ringing", body }]);
      // While it rings the actor stays in memory. After a crash the sweep of places finds the call (`endLate`).
      setTimeout(() => void this.#miss(callId), PERIODS.ringMs);
      return ok({ callId, until });
    });
  }

  /** [CALL2] Someone who is called answers or declines: it stops ringing on all their connections. */
  answer(userId: UserId, reason: "accepted" | "declined"): Promise<Outcome<undefined>> {
    return this.#keeper.change(async (roster, channel) => {
      if (!peopleOf(channel).includes(userId)) return refuse("not_found", "no such conversation");
      await this.#stop(roster, channel, [userId], reason);
      return ok();
    });
  }

  /** [CALL3] Who called has second thoughts. */
  cancel(userId: UserId): Promise<Outcome<undefined>> {
    return this.#keeper.change(async (roster, channel) => {
      if (!peopleOf(channel).includes(userId)) return refuse("not_found", "no such conversation");
      const ringing = ringingOf(roster.seats);
      if (ringing?.callerId === userId) await this.#stop(roster, channel, ringing.userIds, "cancelled");
      return ok();
    });
  }

  /** One of two has blocked the other: it rings no longer. */
  end(): Promise<Outcome<undefined>> {
    return this.#keeper.always(async (roster, channel) => {
      await this.#stop(roster, channel, ringingOf(roster.seats)?.userIds ?? [], "cancelled");
      return ok();
    });
  }

  /** People are no longer in the conversation: for them it rings no longer, which they are told although they hear of nothing else here. */
  async gone(roster: Roster, channel: Loaded): Promise<void> {
    const ringing = ringingOf(roster.seats);
    if (ringing === null) return;
    const gone = ringing.userIds.filter((userId) => !peopleOf(channel).includes(userId));
    if (gone.length === 0) return;
    await this.#stop(roster, channel, gone, "cancelled");
    const { callId, callerId } = ringing;
    void tellUsers(this.#keeper.options.env, gone, this.#stopped(callId, callerId, gone, "cancelled"));
  }

  /** Someone came into the room. */
  joined(roster: Roster, channel: Loaded, userId: UserId): Promise<void> {
    return this.#stop(roster, channel, [userId], "accepted");
  }

  /** What is told of places that end while their holders let others ring. */
  hungUp(seats: readonly Seat[]): AnyDown[] {
    const ringing = ringingOf(seats);
    return ringing === null ? [] : [this.#stopped(ringing.callId, ringing.callerId, ringing.userIds, "cancelled")];
  }

  /** [CALL4] Nobody answered in time. */
  async endLate(roster: Roster, channel: Loaded, nowMs: number): Promise<void> {
    const ringing = ringingOf(roster.seats);
    if (ringing !== null && Date.parse(ringing.until) <= nowMs)
      await this.#stop(roster, channel, ringing.userIds, "missed");
  }

  #miss(callId: CallId): Promise<Outcome<undefined>> {
    return this.#keeper.change(async (roster, channel) => {
      const ringing = ringingOf(roster.seats);
      if (ringing?.callId === callId) await this.#stop(roster, channel, ringing.userIds, "missed");
      return ok();
    });
  }

  async #stop(roster: Roster, channel: Loaded, userIds: readonly UserId[], reason: RingEnd): Promise<void> {
    const ringing = ringingOf(roster.seats);
    const caller = ringing === null ? undefined : roster.of(ringing.callerId);
    if (ringing === null || caller === undefined) return;
    const stopped = ringing.userIds.filter((userId) => userIds.includes(userId));
    if (stopped.length === 0) return;
    const left = ringing.userIds.filter((userId) => !stopped.includes(userId));
    await this.#keeper.options.db.query(ringFor, [caller.joinId, ringing.callId, left]);
    const over = { callId: null, ringing: null, ringingUntil: null };
    roster.put({ ...caller, ...(left.length === 0 ? over : { ringing: left }) });
    this.#keeper.options.tell(channel, [this.#stopped(ringing.callId, ringing.callerId, stopped, reason)]);
  }

  #stopped(callId: CallId, callerId: UserId, userIds: UserId[], reason: RingEnd): AnyDown {
    return { event: "call:stopped", body: { channelId: this.#keeper.options.id, callId, callerId, userIds, reason } };
  }
}

/** The people of a direct conversation; nobody in a channel of a server. */
function peopleOf({ access }: Loaded): UserId[] {
  return "people" in access ? access.people.ids : [];
}
