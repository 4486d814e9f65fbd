import type { Server } from "@lescopains/protocol/entities";
import type { ChannelId, ServerId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { type Database, DatabaseError } from "../../db/port.ts";
import { gatewayActors } from "../../platform/actors.ts";
import type { Env } from "../../platform/env.ts";
import { log } from "../../platform/logger.ts";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import { type Effects, ServerCore } from "./core.ts";
import { loadServer } from "./load.ts";
import { type Mutation, NO_SERVER, STALE } from "./mutation.ts";
import { PresenceTable } from "./presence.ts";
import { TaskQueue } from "../../platform/task-queue.ts";
import { tell, tellGateways } from "./told.ts";

/** Presence changes are told at most this often. The timer runs only while there is something to tell. */
const PRESENCE_PUSH_MS = 1_000;
/** Changes that wait for their turn; with more, the database is too slow or away. */
const MAX_WAITING = 500;
/** Refused strangers that are remembered one by one. */
const MAX_STRANGERS = 10_000;
/** Times that a change is decided again because the server changed behind the actor's back. */
const MAX_TRIES = 3;
const UNAVAILABLE = refuse("unavailable", "the server is not reachable now", { retryAfterMs: 2_000 });

export interface KeeperOptions {
  readonly id: ServerId;
  readonly db: Database;
  readonly env: Env;
  /** Keeps the actor in memory until the work is done. */
  readonly waitUntil: (work: Promise<void>) => void;
}

/**
 * Keeps one server in memory: loads it when it is needed, runs its changes one at a time, and sees to it that whoever holds
 * something derived from it (gateways, channel actors) learns of each change, also when something failed on the way.
 */
export class Keeper {
  readonly #id: ServerId;
  readonly #db: Database;
  readonly #env: Env;
  readonly #waitUntil: KeeperOptions["waitUntil"];
  readonly #changes = new TaskQueue();
  #loading: Promise<ServerCore | null> | undefined;
  /** False until the state is there. What a gateway says before may already be in what it was asked (`unsure`). */
  isWarm = false;
  #presence: Promise<PresenceTable> | undefined;
  /** Channels whose actors may keep permissions: those that asked since they were last told to forget. All, at first. */
  #askers: Set<ChannelId> | "all" = "all";
  /** A change may have been stored that channels were never told of. */
  #owesRecheck = false;
  /** People who were refused as strangers: when they join, channels must forget that. */
  #strangers: Set<UserId> | "anyone" = new Set();
  #pushTimer: ReturnType<typeof setTimeout> | undefined;

  constructor({ id, db, env, waitUntil }: KeeperOptions) {
    this.#id = id;
    this.#db = db;
    this.#env = env;
    this.#waitUntil = waitUntil;
  }

  /** A channel's actor was told what this person may do there, and may keep it. */
  noteAsked(channelId: ChannelId, userId: UserId, isMember: boolean): void {
    if (this.#askers !== "all") this.#askers.add(channelId);
    if (isMember || this.#strangers === "anyone") return;
    if (this.#strangers.size >= MAX_STRANGERS) this.#strangers = "anyone";
    else this.#strangers.add(userId);
  }

  /** Makes the server: `insert` stores it, with this person as its only member. */
  make(ownerId: UserId, insert: () => Promise<Outcome<undefined>>): Promise<Outcome<Server>> {
    return this.#changes.run(() =>
      this.#guarded(async () => {
        const inserted = await insert();
        if (!inserted.ok) return inserted;
        this.#loading = undefined;
        const core = await this.core();
        const server = core?.view(ownerId);
        if (core === null || server === undefined) return NO_SERVER;
        const access = [{ userId: ownerId, channelIds: core.access(ownerId)?.channelIds ?? null }];
        const events: Effects["events"] = [{ to: [ownerId], event: { event: "server:joined", body: { server } } }];
        await tellGateways(this.#env, this.#id, { version: core.state.version, access, events });
        await this.#welcome(core, ownerId);
        return ok(server);
      }),
    );
  }

  /** The server in memory, loaded when it is not; null when there is none. */
  core(): Promise<ServerCore | null> {
    if (this.#loading !== undefined) return this.#loading;
    const loading = this.#load().catch((error: unknown) => {
      this.#forget();
      throw error;
    });
    this.#loading = loading;
    void loading.then((core) => {
      // Nothing is kept of ids that are no server's.
      if (core === null && this.#loading === loading) this.#loading = undefined;
      this.isWarm = this.#loading !== undefined;
    }, ignore);
    return loading;
  }

  /**
   * Reads the server, and who is online from the gateways, and gives the gateways what their people may view now: a change
   * that was stored but never told (a crash in between) arrives with it.
   */
  async #load(): Promise<ServerCore | null> {
    const state = await loadServer(this.#db, this.#id);
    if (state === null) return null;
    this.#presence ??= this.#askWhoIsOnline().catch((error: unknown) => {
      this.#presence = undefined;
      throw error;
    });
    const core = new ServerCore(state, await this.#presence);
    log.info("server loaded", { serverId: this.#id, members: state.members.size, online: core.presence.online });
    const access = core.currentAccess();
    const gone = access.filter(({ channelIds }) => channelIds === null).map(({ userId }) => userId);
    for (const userId of gone) core.presence.remove(userId);
    const body = { serverId: this.#id, reason: "left" } as const;
    const events: Effects["events"] = gone.length === 0 ? [] : [{ to: gone, event: { event: "server:left", body } }];
    if (access.length > 0) {
      // Not waited for: a gateway may itself be waiting for this actor. Calls arrive in the order they were made.
      tellGateways(this.#env, this.#id, { version: state.version, access, events }).catch((error: unknown) =>
        log.error("gateways were not told the present access", error, { serverId: this.#id }),
      );
    }
    if (this.#owesRecheck) this.#recheckAll(core);
    return core;
  }

  /** Not waited for either: a channel answers when its batch is stored, and its batch may wait for this actor. */
  #recheckAll(core: ServerCore): void {
    this.#owesRecheck = false;
    const nothing = { version: core.state.version, access: [], events: [] };
    const recheck = this.#takeAskers(core, "all");
    tell(this.#env, this.#id, { ...nothing, recheck }, recheck).catch((error: unknown) => {
      this.#askers = "all";
      this.#owesRecheck = true;
      log.error("channels were not told to check again", error, { serverId: this.#id });
    });
  }

  async #askWhoIsOnline(): Promise<PresenceTable> {
    const table = new PresenceTable(LIMITS.presencePushOnline);
    const shards = await Promise.all(gatewayActors(this.#env).map((gateway) => gateway.onlineMembers(this.#id)));
    shards.forEach((people, shard) => {
      for (const { userId, presence } of people) table.seed(userId, shard, presence);
    });
    return table;
  }

  /** The state is not known any more: it is read again at the next use, and told to the gateways. */
  #forget(): void {
    this.#loading = undefined;
    this.isWarm = false;
    this.#askers = "all";
    this.#owesRecheck = true;
  }

  /** Answers a question about the server, or `not_found`. */
  async read<T>(question: (core: ServerCore) => Outcome<T> | Promise<Outcome<T>>): Promise<Outcome<T>> {
    return this.#guarded(async () => {
      const core = await this.core();
      return core === null ? NO_SERVER : question(core);
    });
  }

  /** Makes a change when its turn comes, and tells of it. */
  async change<T>(mutation: Mutation<T>): Promise<Outcome<T>> {
    if (this.#changes.length >= MAX_WAITING) return UNAVAILABLE;
    return this.#changes.run(() => this.#guarded(() => this.#apply(mutation)));
  }

  async #apply<T>(mutation: Mutation<T>): Promise<Outcome<T>> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const core = await this.core();
      if (core === null) return NO_SERVER;
      let outcome: Awaited<ReturnType<Mutation<T>>>;
      try {
        outcome = await mutation(core, this.#db);
      } catch (error) {
        // Whether the change was stored is not known.
        this.#forget();
        throw error;
      }
      if (outcome === STALE) {
        this.#forget();
        continue;
      }
      if (!outcome.ok) return outcome;
      const { answer, effects } = outcome.value;
      if (effects !== undefined) await this.#tell(core, effects);
      return ok(answer);
    }
    return UNAVAILABLE;
  }

  async #tell(core: ServerCore, effects: Effects): Promise<void> {
    const newcomers = effects.access.filter(
      ({ userId }) => !core.presence.isOnline(userId) && core.state.members.has(userId),
    );
    const wereRefused = newcomers.some(({ userId }) => this.#strangers === "anyone" || this.#strangers.has(userId));
    const recheck = this.#takeAskers(core, wereRefused ? "all" : effects.recheck);
    if (effects.isGone === true) {
      this.#forget();
      this.#presence = undefined;
    }
    try {
      await tell(this.#env, this.#id, effects, recheck);
    } catch (error) {
      // It is stored; the next use reads it and tells everyone.
      this.#forget();
      throw error;
    }
    for (const { userId } of newcomers) await this.#welcome(core, userId);
  }

  /** Which of these channels' actors may hold permissions. They are about to forget them. */
  #takeAskers(core: ServerCore, recheck: Effects["recheck"]): ChannelId[] {
    if (recheck !== "all") {
      if (this.#askers === "all") return [...recheck];
      return recheck.filter((channelId) => this.#askers !== "all" && this.#askers.delete(channelId));
    }
    const channelIds = this.#askers === "all" ? [...core.state.channels.keys()] : [...this.#askers];
    this.#askers = new Set();
    return channelIds;
  }

  /** Someone who is connected became a member: what they show, from the gateways that let them in. */
  async #welcome(core: ServerCore, userId: UserId): Promise<void> {
    try {
      const shards = await Promise.all(gatewayActors(this.#env).map((gateway) => gateway.onlineMembers(this.#id)));
      shards.forEach((people, shard) => {
        const local = people.find((person) => person.userId === userId);
        if (local !== undefined) core.presence.set(userId, shard, local.presence);
      });
      this.pushPresence();
    } catch (error) {
      // They show as offline until they connect again.
      log.error("a newcomer's presence is not known", error, { serverId: this.#id });
    }
  }

  /** Presence may have changed: what is new is told within a second. */
  pushPresence(): void {
    if (this.#pushTimer !== undefined) return;
    this.#pushTimer = setTimeout(() => {
      this.#pushTimer = undefined;
      this.#waitUntil(this.#pushPresenceNow());
    }, PRESENCE_PUSH_MS);
  }

  async #pushPresenceNow(): Promise<void> {
    const core = await this.#loading;
    if (core === null || core === undefined) return;
    const news = core.presence.take(LIMITS.readyPresences);
    if (core.presence.hasNews) this.pushPresence();
    if (news.length === 0) return;
    const events = news.map(({ to, presence }) => ({
      to,
      event: { event: "presence:update" as const, body: presence },
    }));
    await tellGateways(this.#env, this.#id, { version: core.state.version, events }).catch((error: unknown) =>
      log.error("presence was not told", error, { serverId: this.#id }),
    );
  }

  /** Turns an outage into a refusal: an exception would lose its class on the way out of the actor. */
  async #guarded<T>(task: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
    try {
      return await task();
    } catch (error) {
      if (!(error instanceof DatabaseError && error.kind === "unavailable")) {
        log.error("server actor failed", error, { serverId: this.#id });
      }
      return UNAVAILABLE;
    }
  }
}

function ignore(): void {}
