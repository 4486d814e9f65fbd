import type { DeviceId } from "@lescopains/protocol/device-list";
import type { Message } from "@lescopains/protocol/entities";
import type { CallId, ChannelId, JoinId, SessionId, UserId } from "@lescopains/protocol/ids";
import { allows } from "@lescopains/protocol/permissions";
import type { HistoryPage, HistoryQuery } from "@lescopains/protocol/rest";
import type { MessageDelete, MessageEdit, MessageSend, ReactionChange } from "@lescopains/protocol/up";
import type { VoiceEnd, VoiceFlags, VoiceMember, VoicePatch, VoiceRoster } from "@lescopains/protocol/voice";
import { deviceOfSession } from "../../db/devices.ts";
import { addPerson, removePerson } from "../../db/dms.ts";
import { type Database, database } from "../../db/port.ts";
import { dropReceived } from "../../db/sealed.ts";
import { gatewayActors, type RemoteGateway, serverActor } from "../../platform/actors.ts";
import { Actor } from "../../platform/actor.ts";
import type { Env } from "../../platform/env.ts";
import { log } from "../../platform/logger.ts";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import type { Told } from "../gateway/messages.ts";
import { type Deleted, type Edited, type Reacted, refusal, type Sent, type Write } from "./core.ts";
import { type Loaded, loadChannel } from "./loaded.ts";
import type { People } from "./people.ts";
import { changesSince, pageOf, readerIn } from "./reading.ts";
import { type Granted, Rights } from "./rights.ts";
import { pass } from "./sealed.ts";
import type { Seat } from "./seats.ts";
import { type Joined, type LostNodes, type Newcomer, type ReportAnswer, Voice, type WhichPlace } from "./voice.ts";
import { unavailable, Writer } from "./writer.ts";

export interface Missed {
  readonly messages: Message[];
  readonly lastSeq: number;
  readonly more: boolean;
}

const NO_CHANNEL = refuse("not_found", "no such channel");
/** A person's `typing` is passed on at most this often. */
const TYPING_EVERY_MS = 2_000;

/**
 * Orders one channel: admit → batch → persist → acknowledge → fan out. Whatever arrives while a batch is being stored
 * forms the next one. All state here is a cache: it can be lost at any time.
 */
export class Channel extends Actor {
  readonly #db: Database;
  readonly #id: ChannelId;
  readonly #gateways: readonly RemoteGateway[];
  #loading: Promise<Loaded | null> | undefined;
  readonly #rights: Rights;
  readonly #writer: Writer;
  /** A change of a direct conversation's people: nothing is written meanwhile. */
  #peopleChange: Promise<unknown> | undefined;
  /** Acknowledgements of devices, one after the other. */
  #receiving: Promise<unknown> = Promise.resolve();
  readonly #typedAtMs = new Map<UserId, number>();
  readonly #voice: Voice;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#db = database(env);
    if (ctx.id.name === undefined) throw new Error("a channel actor is reached by its channel's id");
    this.#id = ctx.id.name as ChannelId;
    this.#gateways = gatewayActors(env);
    this.#rights = new Rights(async (serverId, userId) => {
      const answer = await serverActor(env, serverId).permissions(this.#id, userId);
      return answer === null ? 0n : BigInt(answer.bits);
    });
    this.#writer = new Writer({
      id: this.#id,
      db: this.#db,
      rights: this.#rights,
      channel: () => this.#load(),
      forget: () => (this.#loading = undefined),
      mustWait: () => this.#peopleChange,
      tell: (channel, told) => this.#fanOut(channel, told),
    });
    this.#voice = new Voice({
      id: this.#id,
      db: this.#db,
      env,
      rights: this.#rights,
      channel: () => this.#load(),
      tell: (channel, events) =>
        void this.#fanOut(
          channel,
          events.map((event) => ({ event })),
        ),
    });
  }

  /** @param deviceId the device that the author's connection speaks for */
  async send(userId: UserId, deviceId: DeviceId | null, input: MessageSend): Promise<Outcome<Sent>> {
    const write = { kind: "send", userId, deviceId, input } as const;
    if (input.ephemeral === true) return this.#pass(write);
    return this.#writer.write(write) as Promise<Outcome<Sent>>;
  }

  edit(userId: UserId, input: MessageEdit): Promise<Outcome<Edited>> {
    return this.#writer.write({ kind: "edit", userId, input }) as Promise<Outcome<Edited>>;
  }

  delete(userId: UserId, input: MessageDelete): Promise<Outcome<Deleted>> {
    return this.#writer.write({ kind: "delete", userId, input }) as Promise<Outcome<Deleted>>;
  }

  /** @param on adds the reaction; otherwise takes it back */
  react(userId: UserId, on: boolean, input: ReactionChange): Promise<Outcome<Reacted>> {
    return this.#writer.write({ kind: "react", userId, input, on });
  }

  /** Tells the channel's readers that someone writes. */
  async typing(userId: UserId): Promise<Outcome<undefined>> {
    const admitted = await this.#reader(userId);
    if (!admitted.ok) return admitted;
    if (!allows(admitted.value.bits, "sendMessages")) return refuse("forbidden", "you may not write here");
    const { channel } = admitted.value;
    if (channel.direct !== null) return refuse("encryption_required", "here typing is a message that is not stored");
    const nowMs = Date.now();
    if (nowMs - (this.#typedAtMs.get(userId) ?? 0) < TYPING_EVERY_MS) return ok();
    if (this.#typedAtMs.size > 1_000) this.#typedAtMs.clear();
    this.#typedAtMs.set(userId, nowMs);
    void this.#fanOut(channel, [{ event: { event: "typing", body: { channelId: this.#id, userId } } }]);
    return ok();
  }

  /** A page of history, newest first; in a direct conversation, for the device that the session speaks for. */
  async history(userId: UserId, sessionId: SessionId, query: HistoryQuery): Promise<Outcome<HistoryPage>> {
    const admitted = await this.#reader(userId);
    if (!admitted.ok) return admitted;
    const { channel, bits } = admitted.value;
    if (!allows(bits, "readHistory")) return refuse("forbidden", "you may not read back here");
    const { limit } = query;
    const [bound] = channel.direct === null ? [] : await this.#db.query(deviceOfSession, [userId, sessionId]);
    // One row more than asked tells whether there are further ones.
    const rows = await pageOf(this.#db, this.#id, query, limit + 1, readerIn(channel, userId, bound?.deviceId ?? null));
    const messages = rows.slice(0, limit);
    if (query.after !== undefined) messages.reverse();
    return ok({ messages, hasMore: rows.length > limit, lastSeq: channel.lastSeq });
  }

  /** What happened after event `since`, at most `limit` messages in the order of their last change. */
  async missed(userId: UserId, deviceId: DeviceId | null, since: number, limit: number): Promise<Outcome<Missed>> {
    const admitted = await this.#reader(userId);
    if (!admitted.ok) return admitted;
    const { channel, bits } = admitted.value;
    if (!allows(bits, "readHistory")) return ok({ messages: [], lastSeq: channel.lastSeq, more: false });
    if (since >= channel.lastSeq) return ok({ messages: [], lastSeq: channel.lastSeq, more: false });
    const rows = await changesSince(this.#db, this.#id, since, limit + 1, readerIn(channel, userId, deviceId));
    return ok({ messages: rows.slice(0, limit), lastSeq: channel.lastSeq, more: rows.length > limit });
  }

  /** A device has what came up to `seq`. */
  async received(userId: UserId, deviceId: DeviceId, seq: number): Promise<Outcome<undefined>> {
    const admitted = await this.#reader(userId);
    if (!admitted.ok) return admitted;
    if (admitted.value.channel.direct === null) return refuse("invalid_request", "nothing waits here for devices");
    const dropped = this.#receiving.then(() => this.#db.query(dropReceived, [this.#id, userId, deviceId, seq]));
    this.#receiving = dropped.catch(() => undefined);
    try {
      await dropped;
      return ok();
    } catch (error) {
      return unavailable(error);
    }
  }

  /** Adds a person to a group. That `by` may reach them was asked before. */
  addPerson(by: UserId, userId: UserId): Promise<Outcome<undefined>> {
    return this.#changePeople(async (people, isGroup) => {
      if (people.has(by) && people.has(userId)) return ok();
      const allowed = people.mayAdd(by, isGroup);
      if (!allowed.ok) return allowed;
      const [added] = await this.#db.query(addPerson, [this.#id, userId]);
      if (added !== undefined) people.add(userId, added.joinedSeq);
      return ok();
    });
  }

  /** Takes a person out of a group: when this resolves, nothing more is accepted from them or on its way to them. */
  removePerson(by: UserId, userId: UserId): Promise<Outcome<{ readonly left: UserId[] }>> {
    return this.#changePeople(async (people, isGroup) => {
      const allowed = people.mayRemove(by, userId, isGroup);
      if (!allowed.ok) return allowed;
      if (!people.has(userId)) return refuse("not_found", "this person is not in the group");
      await this.#db.query(removePerson, [this.#id, userId]);
      people.remove(userId);
      this.#rights.changed();
      await this.#writer.told;
      await this.#voice.accessChanged();
      if (people.ids.length === 0) this.#loading = undefined;
      return ok({ left: people.ids });
    });
  }

  // ── voice and calls ────────────────────────────────────────────────────────────────────────────────────────────

  voiceJoin(newcomer: Newcomer): Promise<Outcome<Joined>> {
    return this.#voice.join(newcomer);
  }

  voiceLeave(userId: UserId, reason: VoiceEnd, which?: WhichPlace): Promise<Outcome<undefined>> {
    return this.#voice.leave(userId, reason, which);
  }

  voiceState(userId: UserId, sessionId: SessionId, flags: VoiceFlags): Promise<Outcome<{ member: VoiceMember }>> {
    return this.#voice.say(userId, sessionId, flags);
  }

  voiceRoster(userId: UserId): Promise<Outcome<VoiceRoster>> {
    return this.#voice.view(userId);
  }

  voiceModerate(by: UserId, userId: UserId, patch: VoicePatch): Promise<Outcome<VoiceMember>> {
    return this.#voice.moderate(by, userId, patch);
  }

  voiceRemove(by: UserId, userId: UserId, moved?: { readonly to: ChannelId }): Promise<Outcome<{ seat: Seat }>> {
    return this.#voice.remove(by, userId, moved);
  }

  voiceMayReceive(by: UserId, userId: UserId, deviceId: DeviceId | null): Promise<Outcome<undefined>> {
    return this.#voice.mayReceive(by, userId, deviceId);
  }

  voiceReceive(newcomer: Newcomer & { readonly joinId: JoinId }): Promise<Outcome<VoiceMember>> {
    return this.#voice.receive(newcomer);
  }

  voiceMedia(node: string): Promise<Outcome<ReportAnswer>> {
    return this.#voice.media(node);
  }

  voiceNodesLost(lost: LostNodes): Promise<Outcome<undefined>> {
    return this.#voice.nodesLost(lost);
  }

  voiceNodeCame(): Promise<Outcome<undefined>> {
    return this.#voice.nodeCame();
  }

  voiceDue(): Promise<Outcome<undefined>> {
    return this.#voice.due();
  }

  callRing(userId: UserId, sessionId: SessionId): Promise<Outcome<{ callId: CallId; until: string }>> {
    return this.#voice.calls.ring(userId, sessionId);
  }

  callAnswer(userId: UserId, reason: "accepted" | "declined"): Promise<Outcome<undefined>> {
    return this.#voice.calls.answer(userId, reason);
  }

  callCancel(userId: UserId): Promise<Outcome<undefined>> {
    return this.#voice.calls.cancel(userId);
  }

  // ── rights ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** May this person view the channel? */
  async visible(userId: UserId): Promise<Outcome<undefined>> {
    const admitted = await this.#reader(userId);
    return admitted.ok ? ok() : admitted;
  }

  /**
   * Rights in the server changed. When this resolves, nothing that was admitted under the old ones is still on its way
   * to PostgreSQL, and nothing more will be.
   */
  async accessChanged(_version: number): Promise<void> {
    this.#rights.changed();
    await this.#writer.stored;
    await this.#voice.accessChanged();
  }

  /**
   * One of the two here has blocked the other. When this resolves, what was admitted before has reached its readers and nothing rings;
   * PostgreSQL refuses what comes after.
   */
  async blocked(): Promise<Outcome<undefined>> {
    await this.#writer.stored;
    await this.#writer.told;
    return this.#voice.calls.end();
  }

  /** The channel's own row changed. */
  async changed(): Promise<void> {
    this.#loading = undefined;
    await this.accessChanged(0);
  }

  /** The channel's own row changed: it is encrypted now. */
  async madeEncrypted(): Promise<void> {
    await this.changed();
    await this.#voice.madeEncrypted();
  }

  /** The channel was deleted: its row is gone, so loading it again finds nothing. */
  async removed(): Promise<void> {
    await this.changed();
    await this.#voice.removed();
  }

  #load(): Promise<Loaded | null> {
    this.#loading ??= loadChannel(this.#db, this.#id).then(
      (channel) => {
        if (channel !== null) this.#writer.begin(channel.lastSeq);
        return channel;
      },
      (error: unknown) => {
        this.#loading = undefined;
        throw error;
      },
    );
    return this.#loading;
  }

  /** Runs a change of the people between two batches, with nothing else on its way. */
  #changePeople<T>(change: (people: People, isGroup: boolean) => Promise<Outcome<T>>): Promise<Outcome<T>> {
    const before = this.#peopleChange;
    const run = (async (): Promise<Outcome<T>> => {
      await before;
      await this.#writer.stored;
      try {
        const channel = await this.#load();
        if (channel === null || !("people" in channel.access)) return NO_CHANNEL;
        return await change(channel.access.people, channel.direct === "group_dm");
      } catch (error) {
        // Whether it was stored is unknown: who is here is read again.
        this.#loading = undefined;
        return unavailable(error);
      }
    })();
    this.#peopleChange = run;
    return run.finally(() => {
      if (this.#peopleChange === run) this.#peopleChange = undefined;
    });
  }

  /** The channel and the person's permissions in it, when they may view it. */
  async #reader(userId: UserId): Promise<Outcome<{ channel: Loaded; bits: Granted["bits"] }>> {
    try {
      const channel = await this.#load();
      if (channel === null) return NO_CHANNEL;
      const { bits } = await this.#rights.of(channel.access, userId);
      return allows(bits, "viewChannel") ? ok({ channel, bits }) : NO_CHANNEL;
    } catch (error) {
      return unavailable(error);
    }
  }

  /** Passes on what is not stored. */
  async #pass(write: Extract<Write, { kind: "send" }>): Promise<Outcome<Sent>> {
    const admitted = await this.#reader(write.userId);
    if (!admitted.ok) return admitted;
    const { channel, bits } = admitted.value;
    const refused = refusal(channel, write, bits, this.#writer.waiting);
    if (refused !== null) return { ok: false, error: refused };
    try {
      const passed = await pass(this.#db, this.#id, write, Date.now());
      if (!passed.ok) return passed;
      // Removed meanwhile: nothing more of them is told.
      const still = await this.#reader(write.userId);
      if (!still.ok) return still;
      void this.#fanOut(channel, [passed.value.told]);
      return ok(passed.value.sent);
    } catch (error) {
      return unavailable(error);
    }
  }

  /** One RPC to each gateway, carrying the whole batch. Calls to one actor arrive in the order they were made. */
  async #fanOut({ access }: Loaded, told: readonly Told[]): Promise<void> {
    const deliveries = this.#gateways.map((gateway, shard) =>
      ("people" in access
        ? gateway.deliverSealed(access.people.ids, told)
        : gateway.deliver(
            access.serverId,
            this.#id,
            told.map(({ event }) => event),
          )
      ).catch((error: unknown) => {
        // Its clients see the hole in `seq` and ask `sync`.
        log.error("delivery failed", error, { channelId: this.#id, shard });
      }),
    );
    await Promise.all(deliveries);
  }
}
