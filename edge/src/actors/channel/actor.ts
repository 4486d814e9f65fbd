import type { AnyDown } from "@lescopains/protocol/down";
import type { Message } from "@lescopains/protocol/entities";
import type { ChannelId, ServerId, UserId } from "@lescopains/protocol/ids";
import { allows, type PermissionBits } from "@lescopains/protocol/permissions";
import type { HistoryPage, HistoryQuery } from "@lescopains/protocol/rest";
import type { MessageDelete, MessageEdit, MessageSend } from "@lescopains/protocol/up";
import { DurableObject } from "cloudflare:workers";
import { changedSince, channelById, historyAfter, historyBefore } from "../../db/messages.ts";
import { type Database, database, DatabaseError } from "../../db/port.ts";
import { gatewayActors, type RemoteGateway, serverActor } from "../../platform/actors.ts";
import type { Env } from "../../platform/env.ts";
import { log } from "../../platform/logger.ts";
import { type Outcome, ok, type Refusal, refuse } from "../../platform/outcome.ts";
import { batchLength, changeOf, type Deleted, type Edited, refusal, type Sent, type Write } from "./core.ts";
import { store, type Written } from "./store.ts";

interface Loaded {
  readonly serverId: ServerId;
  readonly encrypted: boolean;
  lastSeq: number;
}

interface Pending {
  readonly write: Write;
  /** Permissions of the author, and which state of the server's rights they were read in. */
  bits: PermissionBits;
  epoch: number;
  readonly resolve: (outcome: Outcome<Sent | Edited | Deleted>) => void;
}

export interface Missed {
  readonly messages: Message[];
  readonly lastSeq: number;
  readonly more: boolean;
}

const UNAVAILABLE = refuse("unavailable", "the database is not reachable", { retryAfterMs: 2_000 });
const NO_CHANNEL = refuse("not_found", "no such channel");
/** A person's `typing` is passed on at most this often. */
const TYPING_EVERY_MS = 2_000;
/** Events that are told late at most; beyond, readers ask `sync`. */
const UNTOLD_MAX = 500;

/**
 * Orders one channel: admit → batch → persist → acknowledge → fan out. Whatever arrives while a batch is being stored
 * forms the next one. All state here is a cache: it can be lost at any time.
 */
export class Channel extends DurableObject<Env> {
  readonly #db: Database;
  readonly #id: ChannelId;
  readonly #gateways: readonly RemoteGateway[];
  #loading: Promise<Loaded | null> | undefined;
  /** Effective permissions by user, as promises so that concurrent questions are asked once and answered in order. */
  readonly #bits = new Map<UserId, Promise<PermissionBits>>();
  /** Goes up when rights may have changed; what was read under an older epoch is read again before use. */
  #epoch = 0;
  readonly #queue: Pending[] = [];
  #draining = false;
  /** The batch on its way to PostgreSQL. */
  #inFlight: Promise<void> | undefined;
  /** The broadcast on its way to the sockets. */
  #reading: Promise<void> = Promise.resolve();
  /** The last event that gateways were given; what was there before this actor was counts as told. */
  #toldSeq: number | undefined;
  readonly #typedAtMs = new Map<UserId, number>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#db = database(env);
    if (ctx.id.name === undefined) throw new Error("a channel actor is reached by its channel's id");
    this.#id = ctx.id.name as ChannelId;
    this.#gateways = gatewayActors(env);
  }

  send(userId: UserId, input: MessageSend): Promise<Outcome<Sent>> {
    return this.#write({ kind: "send", userId, input }) as Promise<Outcome<Sent>>;
  }

  edit(userId: UserId, input: MessageEdit): Promise<Outcome<Edited>> {
    return this.#write({ kind: "edit", userId, input }) as Promise<Outcome<Edited>>;
  }

  delete(userId: UserId, input: MessageDelete): Promise<Outcome<Deleted>> {
    return this.#write({ kind: "delete", userId, input });
  }

  /** Tells the channel's readers that someone writes. */
  async typing(userId: UserId): Promise<Outcome<undefined>> {
    const admitted = await this.#reader(userId);
    if (!admitted.ok) return admitted;
    if (!allows(admitted.value.bits, "sendMessages")) return refuse("forbidden", "you may not write here");
    const nowMs = Date.now();
    if (nowMs - (this.#typedAtMs.get(userId) ?? 0) < TYPING_EVERY_MS) return ok();
    if (this.#typedAtMs.size > 1_000) this.#typedAtMs.clear();
    this.#typedAtMs.set(userId, nowMs);
    void this.#fanOut(admitted.value.channel.serverId, [{ event: "typing", body: { channelId: this.#id, userId } }]);
    return ok();
  }

  /** A page of history, newest first. */
  async history(userId: UserId, query: HistoryQuery): Promise<Outcome<HistoryPage>> {
    const admitted = await this.#reader(userId);
    if (!admitted.ok) return admitted;
    if (!allows(admitted.value.bits, "readHistory")) return refuse("forbidden", "you may not read back here");
    const { limit } = query;
    // One row more than asked tells whether there are further ones.
    const rows =
      query.after === undefined
        ? await this.#db.query(historyBefore, [this.#id, query.before ?? Number.MAX_SAFE_INTEGER, limit + 1])
        : await this.#db.query(historyAfter, [this.#id, query.after, limit + 1]);
    const messages = rows.slice(0, limit);
    if (query.after !== undefined) messages.reverse();
    return ok({ messages, hasMore: rows.length > limit, lastSeq: admitted.value.channel.lastSeq });
  }

  /** What happened after event `since`, at most `limit` messages in the order of their last change. */
  async missed(userId: UserId, since: number, limit: number): Promise<Outcome<Missed>> {
    const admitted = await this.#reader(userId);
    if (!admitted.ok) return admitted;
    const { channel, bits } = admitted.value;
    if (!allows(bits, "readHistory")) return ok({ messages: [], lastSeq: channel.lastSeq, more: false });
    if (since >= channel.lastSeq) return ok({ messages: [], lastSeq: channel.lastSeq, more: false });
    const rows = await this.#db.query(changedSince, [this.#id, since, limit + 1]);
    return ok({ messages: rows.slice(0, limit), lastSeq: channel.lastSeq, more: rows.length > limit });
  }

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
    this.#epoch += 1;
    this.#bits.clear();
    await this.#inFlight;
  }

  /** The channel's own row changed. */
  async changed(): Promise<void> {
    this.#loading = undefined;
    await this.accessChanged(0);
  }

  /** The channel was deleted: its row is gone, so loading it again finds nothing. */
  async removed(): Promise<void> {
    await this.changed();
  }

  #load(): Promise<Loaded | null> {
    this.#loading ??= (async () => {
      const [row] = await this.#db.query(channelById, [this.#id]);
      if (row === undefined || row.serverId === null) return null;
      this.#toldSeq ??= row.lastSeq;
      return { ...row, serverId: row.serverId };
    })().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  /** Effective permissions now. A read that rights changed under is repeated. */
  async #permissions(serverId: ServerId, userId: UserId): Promise<{ bits: PermissionBits; epoch: number }> {
    for (;;) {
      const epoch = this.#epoch;
      let asked = this.#bits.get(userId);
      if (asked === undefined) {
        asked = serverActor(this.env, serverId)
          .permissions(this.#id, userId)
          .then((answer) => (answer === null ? 0n : BigInt(answer.bits)));
        this.#bits.set(userId, asked);
        asked.catch(() => this.#bits.delete(userId));
      }
      const bits = await asked;
      if (epoch === this.#epoch) return { bits, epoch };
    }
  }

  /** The channel and the person's permissions in it, when they may view it. */
  async #reader(userId: UserId): Promise<Outcome<{ channel: Loaded; bits: PermissionBits }>> {
    try {
      const channel = await this.#load();
      if (channel === null) return NO_CHANNEL;
      const { bits } = await this.#permissions(channel.serverId, userId);
      return allows(bits, "viewChannel") ? ok({ channel, bits }) : NO_CHANNEL;
    } catch (error) {
      return unavailable(error);
    }
  }

  async #write(write: Write): Promise<Outcome<Sent | Edited | Deleted>> {
    let admission: { bits: PermissionBits; epoch: number };
    try {
      const channel = await this.#load();
      if (channel === null) return NO_CHANNEL;
      admission = await this.#permissions(channel.serverId, write.userId);
      const refused = refusal(channel, write, admission.bits, this.#queue.length);
      if (refused !== null) return { ok: false, error: refused };
    } catch (error) {
      return unavailable(error);
    }
    const { promise, resolve } = Promise.withResolvers<Outcome<Sent | Edited | Deleted>>();
    this.#queue.push({ write, ...admission, resolve });
    if (!this.#draining) void this.#drain();
    return promise;
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    while (this.#queue.length > 0) {
      this.#inFlight = this.#writeBatch(this.#queue.splice(0, batchLength(this.#queue)));
      await this.#inFlight;
    }
    this.#inFlight = undefined;
    this.#draining = false;
  }

  /** Never rejects: what goes wrong is the answer of the batch's senders. */
  async #writeBatch(batch: Pending[]): Promise<void> {
    try {
      const channel = await this.#load();
      const admitted = channel === null ? [] : await this.#readmit(channel, batch);
      if (channel === null) for (const pending of batch) pending.resolve(NO_CHANNEL);
      else if (admitted.length > 0) await this.#storeAndTell(channel, admitted);
    } catch (error) {
      // Whether the batch was stored is unknown: the senders try again, and their nonces tell.
      const refused = unavailable(error);
      for (const pending of batch) pending.resolve(refused);
      this.#loading = undefined;
    }
  }

  async #storeAndTell(channel: Loaded, batch: Pending[]): Promise<void> {
    const written = await store(this.#db, this.#id, batch);
    const events: AnyDown[] = [];
    written.forEach(({ outcome, event }, index) => {
      batch[index]?.resolve(outcome);
      if (event !== undefined) events.push(event);
      if (outcome.ok) channel.lastSeq = Math.max(channel.lastSeq, outcome.value.seq);
    });
    const ordered = [...(await this.#untold(written, events)), ...inOrder(events)];
    if (ordered.length === 0) return;
    // The acknowledgements leave before the broadcast, which is the long part. One broadcast at a time: when people write faster
    // than it can be read out, the queue fills and says so.
    await this.#reading;
    await scheduler.wait(0);
    this.#reading = this.#fanOut(channel.serverId, ordered);
  }

  /**
   * What PostgreSQL stored without this actor learning of it: the answer to an earlier batch was lost. It shows as a hole before
   * this batch's events, or as a retry that is known and was never told.
   */
  async #untold(written: readonly Written[], events: readonly AnyDown[]): Promise<AnyDown[]> {
    const told = this.#toldSeq ?? 0;
    const stored = Math.max(0, ...written.map(({ outcome }) => (outcome.ok ? outcome.value.seq : 0)));
    const upTo = events.length > 0 ? Math.min(...events.map(seqOf)) - 1 : stored;
    this.#toldSeq = Math.max(told, stored);
    if (upTo <= told) return [];
    try {
      const rows = await this.#db.query(changedSince, [this.#id, told, UNTOLD_MAX]);
      return rows.filter(({ changedSeq }) => changedSeq <= upTo).map(changeOf);
    } catch (error) {
      // Readers see the hole with the next event and ask `sync`.
      log.warn("what was not told could not be read", { channelId: this.#id, reason: String(error) });
      return [];
    }
  }

  /** Admits again what was admitted under rights that have changed since. */
  async #readmit(channel: Loaded, batch: Pending[]): Promise<Pending[]> {
    // Rights may change while rights are being read: only a round without a change counts.
    while (batch.some((pending) => pending.epoch !== this.#epoch)) {
      for (const pending of batch)
        Object.assign(pending, await this.#permissions(channel.serverId, pending.write.userId));
    }
    return batch.filter((pending) => {
      const refused = refusal(channel, pending.write, pending.bits, 0);
      if (refused !== null) pending.resolve({ ok: false, error: refused });
      return refused === null;
    });
  }

  /** One RPC to each gateway, carrying the whole batch. Calls to one actor arrive in the order they were made. */
  async #fanOut(serverId: ServerId, events: readonly AnyDown[]): Promise<void> {
    const deliveries = this.#gateways.map((gateway, shard) =>
      gateway.deliver(serverId, this.#id, events).catch((error: unknown) => {
        // Its clients see the hole in `seq` and ask `sync`.
        log.error("delivery failed", error, { channelId: this.#id, shard });
      }),
    );
    await Promise.all(deliveries);
  }
}

/** Rows come back in no particular order; readers get them by `seq`. */
function inOrder(events: AnyDown[]): AnyDown[] {
  return events.toSorted((a, b) => seqOf(a) - seqOf(b));
}

function seqOf({ body }: AnyDown): number {
  return body !== undefined && "seq" in body ? body.seq : 0;
}

function unavailable(error: unknown): Refusal {
  if (error instanceof DatabaseError && error.kind === "unavailable") return UNAVAILABLE;
  log.error("channel failed", error);
  // An exception out of another actor has no class left; nothing was acknowledged, so trying again is right.
  return UNAVAILABLE;
}
