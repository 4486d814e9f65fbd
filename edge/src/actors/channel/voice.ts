import type { DeviceId } from "@lescopains/protocol/device-list";
import type { ChannelId, JoinId, SessionId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { allows, type Permission, type PermissionBits } from "@lescopains/protocol/permissions";
import type { Right } from "@lescopains/protocol/sfu/token";
import type { VoiceEnd, VoiceFlags, VoiceMember, VoicePatch, VoiceRoster } from "@lescopains/protocol/voice";
import { v7 } from "uuid";
import { setServerFlags } from "../../db/voice.ts";
import { serverActor, sfuRegistry } from "../../platform/actors.ts";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import type { Place } from "../sfu-registry/nodes.ts";
import { Calls } from "./calls.ts";
import type { Loaded } from "./loaded.ts";
import type { Roster } from "./roster.ts";
import { Seating } from "./seating.ts";
import { comesTooLate, judgeReport, type MediaPeer, memberOf, rightsOf, type Seat } from "./seats.ts";
import { VoiceKeeper, type VoiceOptions } from "./voice-keeper.ts";

/** Who comes in. */
export interface Newcomer {
  readonly userId: UserId;
  readonly sessionId: SessionId;
  readonly deviceId: DeviceId | null;
  /** Of the place that they still hold. */
  readonly joinId?: JoinId | undefined;
  /** They bring media, from this region: a node is chosen. */
  readonly media?: { readonly region: string | null };
}

/** Of a person's places: that of a session, or one by its name; whichever they hold without. */
export interface WhichPlace {
  readonly sessionId?: SessionId | undefined;
  readonly joinId?: JoinId | undefined;
}

/** A place, and what a room token is made of. */
export interface Joined {
  readonly joinId: JoinId;
  readonly deviceId: DeviceId | null;
  readonly roster: VoiceRoster;
  readonly rights: Right[];
  readonly encrypted: boolean;
  readonly place: Place | null;
}

/** Nodes that are gone: one, or all but those that are alive. */
export type LostNodes = { readonly node: string } | { readonly allBut: readonly string[] };

/** What a node is told to do about those it has in a room. */
export interface ReportAnswer {
  readonly strangers: readonly MediaPeer[];
  readonly rights: readonly (MediaPeer & { readonly rights: Right[] })[];
}

const NO_CHANNEL = refuse("not_found", "no such channel");
const NOBODY = refuse("not_found", "this person is not in the voice channel");
const TOO_OFTEN = refuse("rate_limited", "that changes too often", { retryAfterMs: 1_000 });
const TAKEN = refuse("conflict", "another session has taken this place");
const NO_NODE = refuse("unavailable", "no voice server is connected", { retryAfterMs: 2_000 });

/**
 * Voice in one channel: who is there, what they may send, and what the node that carries the room is told of it. Changes run one at
 * a time: decide → store → command the node → tell → answer.
 */
export class Voice {
  readonly calls: Calls;
  readonly #options: VoiceOptions;
  readonly #keeper: VoiceKeeper;
  readonly #seating: Seating;

  constructor(options: VoiceOptions) {
    this.#options = options;
    this.#keeper = new VoiceKeeper(options);
    this.calls = new Calls(this.#keeper);
    this.#seating = new Seating(options, this.#keeper, this.calls);
  }

  /** [VO1] Takes a place, or keeps the one that is held. Refuses with `conflict` when a place is held in another channel, or was taken by another session meanwhile. */
  join(by: Newcomer): Promise<Outcome<Joined>> {
    return this.#keeper.change(async (roster, channel) => {
      const admitted = await this.#admit(channel, by.userId, by.deviceId);
      if (!admitted.ok) return admitted;
      const held = roster.of(by.userId);
      if (held !== undefined && comesTooLate(held, by)) return TAKEN;
      const isKept = held !== undefined && keeps(held, by);
      if (!isKept && roster.size - (held === undefined ? 0 : 1) >= LIMITS.voiceMembers)
        return refuse("room_full", `a voice channel holds ${LIMITS.voiceMembers}`, { retryAfterMs: 5_000 });
      const place = by.media === undefined ? null : await this.#place(roster, by.media.region);
      if (by.media !== undefined && place === null) return NO_NODE;
      if (place !== null) await this.#gather(roster, place.node, by.userId);
      if (held !== undefined && !isKept) await this.#seating.end(roster, channel, [held], "replaced");
      const seat = isKept
        ? await this.#seating.goOn(roster, held, place)
        : await this.#seating.open(roster, channel, { ...by, joinId: v7() as JoinId }, place?.node ?? null);
      if (seat === undefined) return NO_CHANNEL;
      const { joinId, deviceId } = seat;
      const rights = rightsOf(admitted.value, seat);
      return ok({ joinId, deviceId, roster: roster.view(), rights, encrypted: channel.encrypted, place });
    });
  }

  /** [VO4] Gives up the place that a person holds, if it is this one. Who holds none has nothing to give up. */
  leave(userId: UserId, reason: VoiceEnd, { sessionId, joinId }: WhichPlace = {}): Promise<Outcome<undefined>> {
    return this.#keeper.change(async (roster, channel) => {
      const seat = roster.of(userId);
      if (seat === undefined)
        return allows(await this.#keeper.bits(channel, userId), "viewChannel") ? ok() : NO_CHANNEL;
      if (seat.sessionId !== (sessionId ?? seat.sessionId) || seat.joinId !== (joinId ?? seat.joinId)) return ok();
      await this.#seating.end(roster, channel, [seat], reason);
      return ok();
    });
  }

  /** [VO5] What a person says of themself. */
  say(userId: UserId, sessionId: SessionId, flags: VoiceFlags): Promise<Outcome<{ member: VoiceMember }>> {
    return this.#keeper.change(async (roster, channel) => {
      const seat = roster.of(userId);
      if (seat === undefined || seat.sessionId !== sessionId)
        return refuse("conflict", "this session is in no voice channel");
      if (!this.#seating.maySay(seat)) return TOO_OFTEN;
      const bits = await this.#keeper.bits(channel, userId);
      if (flags.camera && !allows(bits, "video")) return refuse("forbidden", "you may not show a camera here");
      if (flags.screenSharing && !allows(bits, "shareScreen"))
        return refuse("forbidden", "you may not share a screen here");
      const said = await roster.say(seat, flags);
      if (said === undefined) return NOBODY;
      this.#options.tell(channel, [roster.stateOf(said)]);
      return ok({ member: memberOf(said) });
    });
  }

  view(userId: UserId): Promise<Outcome<VoiceRoster>> {
    return this.#keeper.change(async (roster, channel) =>
      allows(await this.#keeper.bits(channel, userId), "viewChannel") ? ok(roster.view()) : NO_CHANNEL,
    );
  }

  // ── moderators ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** [VO11] Mutes and deafens someone in all voice channels of the server. */
  moderate(by: UserId, userId: UserId, patch: Pick<VoicePatch, "muted" | "deafened">): Promise<Outcome<VoiceMember>> {
    return this.#keeper.change(async (roster, channel) => {
      const needed: Permission[] = [];
      if (patch.muted !== undefined) needed.push("muteMembers");
      if (patch.deafened !== undefined) needed.push("deafenMembers");
      const allowed = await this.#mayActOn(channel, by, userId, needed);
      if (!allowed.ok) return allowed;
      const seat = roster.of(userId);
      if (seat === undefined || !("serverId" in channel.access)) return NOBODY;
      const { muted = seat.serverMuted, deafened = seat.serverDeafened } = patch;
      const { serverId } = channel.access;
      const [stored] = await this.#options.db.query(setServerFlags, [serverId, userId, muted, deafened]);
      if (stored === undefined) return NOBODY;
      const next = roster.put({ ...seat, serverMuted: muted, serverDeafened: deafened });
      await this.#seating.commandRights(roster, channel);
      this.#options.tell(channel, [roster.stateOf(next)]);
      return ok(memberOf(next));
    });
  }

  /** [VO12] Ends someone's place: for good, or because they are moved, which is told when they have arrived. */
  remove(by: UserId, userId: UserId, moved?: { readonly to: ChannelId }): Promise<Outcome<{ seat: Seat }>> {
    return this.#keeper.change(async (roster, channel) => {
      const allowed = await this.#mayActOn(channel, by, userId, ["moveMembers"]);
      if (!allowed.ok) return allowed;
      const seat = roster.of(userId);
      if (seat === undefined) return NOBODY;
      await this.#seating.end(roster, channel, [seat], moved === undefined ? "disconnected" : "moved", moved?.to);
      return ok({ seat });
    });
  }

  /** Whether `by` may move a person in here, and the person may be here. */
  mayReceive(by: UserId, userId: UserId, deviceId: DeviceId | null): Promise<Outcome<undefined>> {
    return this.#keeper.change(async (roster, channel) => {
      const allowed = await this.#mayActOn(channel, by, userId, ["moveMembers"]);
      if (!allowed.ok) return allowed;
      const admitted = await this.#admit(channel, userId, deviceId);
      if (!admitted.ok) return admitted;
      return roster.size < LIMITS.voiceMembers ? ok() : refuse("room_full", "the other channel is full");
    });
  }

  /** Takes a place for someone who was moved. */
  receive(newcomer: Newcomer & { readonly joinId: JoinId }): Promise<Outcome<VoiceMember>> {
    return this.#keeper.change(async (roster, channel) => {
      const seat = roster.of(newcomer.userId) ?? (await this.#seating.open(roster, channel, newcomer, null));
      return seat === undefined ? NO_CHANNEL : ok(memberOf(seat));
    });
  }

  async #mayActOn(
    channel: Loaded,
    by: UserId,
    userId: UserId,
    needed: readonly Permission[],
  ): Promise<Outcome<undefined>> {
    const bits = await this.#keeper.bits(channel, by);
    if (!allows(bits, "viewChannel")) return NO_CHANNEL;
    if (!("serverId" in channel.access)) return refuse("forbidden", "nobody moderates a call");
    const lacks = needed.find((permission) => !allows(bits, permission));
    if (lacks !== undefined) return refuse("forbidden", `this takes ${lacks} in the channel`);
    if (by === userId) return ok();
    return serverActor(this.#options.env, channel.access.serverId).mayActOn(by, userId);
  }

  // ── rights ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** [VO6] Rights, people or the channel itself have changed: who may no longer be here goes, others send what they still may. */
  async accessChanged(): Promise<void> {
    const known = await this.#options.channel().catch(() => null);
    if (known?.isVoice === false) return;
    const done = await this.#keeper.always(async (roster, channel) => {
      const gone: Seat[] = [];
      for (const seat of roster.seats) {
        const bits = await this.#keeper.bits(channel, seat.userId);
        const mayStay = allows(bits, "viewChannel") && allows(bits, "connect");
        if (!mayStay || (channel.encrypted && seat.deviceId === null)) gone.push(seat);
      }
      await this.#seating.end(roster, channel, gone, "forbidden");
      await this.calls.gone(roster, channel);
      await this.#seating.commandRights(roster, channel);
      return ok(roster.size);
    });
    if (done.ok && done.value > 0) return;
    // Nobody has a place here, or nothing can be known of it: nobody goes on speaking here.
    await this.#seating.order((registry) => registry.closeRoom(this.#options.id));
  }

  /** [VO10] The channel was made encrypted: nothing of what went on in plain goes on. */
  async madeEncrypted(): Promise<void> {
    await this.accessChanged();
    await this.#keeper.always(async (roster) => {
      await this.#seating.displace(
        roster,
        roster.seats.filter(({ node }) => node !== null),
      );
      return ok();
    });
    await this.#seating.order((registry) => registry.voidRoom(this.#options.id, "plain"));
  }

  /** The channel was deleted, and its rows with it. */
  async removed(): Promise<void> {
    this.#keeper.forget();
    await this.#seating.order((registry) => registry.voidRoom(this.#options.id, "all"));
  }

  async #admit(channel: Loaded, userId: UserId, deviceId: DeviceId | null): Promise<Outcome<PermissionBits>> {
    const bits = await this.#keeper.bits(channel, userId);
    if (!allows(bits, "viewChannel")) return NO_CHANNEL;
    if (!channel.isVoice) return refuse("invalid_request", "nobody speaks in a text channel");
    if (!allows(bits, "connect")) return refuse("forbidden", "you may not join here");
    if (channel.encrypted && deviceId === null) return refuse("device_required", "this sign-in speaks for no device");
    return ok(bits);
  }

  // ── nodes ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** [VO21] A room stays where it is. */
  #place(roster: Roster, region: string | null): Promise<Place | null> {
    const nodes = new Set(roster.seats.flatMap(({ node }) => node ?? []));
    return sfuRegistry(this.#options.env).place(this.#options.id, [...nodes], region);
  }

  /** [VO21] A room is on one node: the one that it was on is gone, or lets nobody in, and those who are still for it come along. */
  #gather(roster: Roster, node: string, comesBy: UserId): Promise<void> {
    const astray = roster.seats.filter((seat) => seat.node !== null && seat.node !== node && seat.userId !== comesBy);
    return this.#seating.displace(roster, astray);
  }

  /** [VO7] Something changed in this room on a node: looks at it, and answers what the node is to do. */
  media(node: string): Promise<Outcome<ReportAnswer>> {
    return this.#keeper.always(async (roster, channel) => {
      // Asked in its turn: what this channel has just ordered is carried out by now.
      const report = await sfuRegistry(this.#options.env).report(node, this.#options.id);
      if (report === null) return ok({ strangers: [], rights: [] });
      const { connected, ended, displaced, strangers } = judgeReport(roster.seats, report);
      await roster.connected(connected, node);
      for (const { seat, reason } of ended) await this.#seating.end(roster, channel, [seat], reason);
      await this.#seating.displace(roster, displaced);
      const rights: (MediaPeer & { readonly rights: Right[] })[] = [];
      for (const seat of connected) {
        const { joinId } = seat;
        const may = rightsOf(await this.#keeper.bits(channel, seat.userId), seat);
        this.#seating.toldRights(joinId, may);
        rights.push({ joinId, rights: may });
      }
      return ok({ strangers, rights });
    });
  }

  /** [VO22] Nodes that are gone: whoever was there is asked to come back. */
  nodesLost(isLost: LostNodes): Promise<Outcome<undefined>> {
    return this.#keeper.change(async (roster) => {
      const lost = ({ node }: Seat): boolean =>
        node !== null && ("node" in isLost ? node === isLost.node : !isLost.allBut.includes(node));
      await this.#seating.displace(roster, roster.seats.filter(lost));
      return ok();
    });
  }

  /** [VO22] There is a node again: whoever lost theirs, and found no other, is asked once more. */
  nodeCame(): Promise<Outcome<undefined>> {
    return this.#keeper.change(async (roster) => {
      this.#seating.callBack(roster.seats.filter(({ node, wasConnected }) => node === null && wasConnected));
      return ok();
    });
  }

  /** [VO8] Gives up places whose media did not come, and calls that nobody answered. */
  due(): Promise<Outcome<undefined>> {
    return this.#keeper.change(async (roster, channel) => {
      const nowMs = Date.now();
      const late = roster.seats.filter(({ dueMs }) => dueMs !== null && dueMs <= nowMs);
      await this.#seating.end(roster, channel, late, "timeout");
      await this.calls.endLate(roster, channel, nowMs);
      return ok();
    });
  }
}

/** Whether someone who comes in goes on with the place they hold: with its keys, or before there were any. */
function keeps(held: Seat, { sessionId, deviceId, joinId, media }: Newcomer): boolean {
  if (held.sessionId !== sessionId || held.deviceId !== deviceId) return false;
  return media === undefined || held.joinId === joinId || !held.wasConnected;
}
