import type {
  Ban,
  Channel,
  Invite,
  Member,
  Overwrite,
  Presence,
  Role,
  Server as ServerView,
  User,
} from "@lescopains/protocol/entities";
import type { ChannelId, RoleId, ServerId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { DEFAULT_PERMISSIONS } from "@lescopains/protocol/permissions";
import type {
  ChannelCreate,
  ChannelPatch,
  InviteCreate,
  OverwriteBody,
  RoleCreate,
  RolePatch,
  ServerPatch,
} from "@lescopains/protocol/rest";
import { DurableObject } from "cloudflare:workers";
import { v7 } from "uuid";
import { invitesOfServer } from "../../db/invites.ts";
import { bansOfServer } from "../../db/members.ts";
import { type Database, database, DatabaseError } from "../../db/port.ts";
import { createServer } from "../../db/servers.ts";
import { gatewayActors } from "../../platform/actors.ts";
import type { Env } from "../../platform/env.ts";
import { log } from "../../platform/logger.ts";
import { type Outcome, ok, refuse } from "../../platform/outcome.ts";
import type { Access, LocalPresence } from "../gateway/messages.ts";
import * as channels from "./channels.ts";
import { type Effects, ServerCore } from "./core.ts";
import { inviteCode } from "./invite-code.ts";
import * as invites from "./invites.ts";
import { loadServer } from "./load.ts";
import * as membership from "./membership.ts";
import { type Mutation, NO_SERVER, refused, STALE } from "./mutation.ts";
import { PresenceTable } from "./presence.ts";
import { TaskQueue } from "./queue.ts";
import * as roles from "./roles.ts";
import { allowed } from "./rules.ts";
import * as settings from "./settings.ts";
import { tell, tellGateways } from "./told.ts";
import { memberView } from "./view.ts";

/** Presence changes are told at most this often. The timer runs only while there is something to tell. */
const PRESENCE_PUSH_MS = 1_000;
/** Changes that wait for their turn; with more, the database is too slow or away. */
const MAX_WAITING = 500;
/** Refused strangers that are remembered one by one. */
const MAX_STRANGERS = 10_000;
/** Times that a change is decided again because the server changed behind the actor's back. */
const MAX_TRIES = 3;
const UNAVAILABLE = refuse("unavailable", "the server is not reachable now", { retryAfterMs: 2_000 });

/** What a connection is told when it begins. */
export interface Attached {
  readonly version: number;
  readonly server: ServerView;
  readonly presences: Presence[];
}

/**
 * One server: who is in it and may do what, and who is online. PostgreSQL is the record; this is a cache that decides.
 * Changes run one at a time: check on the cache → one statement → apply → tell channels and gateways → answer.
 */
export class Server extends DurableObject<Env> {
  readonly #id: ServerId;
  readonly #db: Database;
  readonly #changes = new TaskQueue();
  #loading: Promise<ServerCore | null> | undefined;
  /** False until the state is there. What a gateway says before may already be in what it was asked (`unsure`). */
  #isWarm = false;
  #presence: Promise<PresenceTable> | undefined;
  /** Channels whose actors may keep permissions: those that asked since they were last told to forget. All, at first. */
  #askers: Set<ChannelId> | "all" = "all";
  /** A change may have been stored that channels were never told of. */
  #owesRecheck = false;
  /** People who were refused as strangers: when they join, channels must forget that. */
  #strangers: Set<UserId> | "anyone" = new Set();
  #pushTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    if (ctx.id.name === undefined) throw new Error("a server actor is reached by its server's id");
    this.#id = ctx.id.name as ServerId;
    this.#db = database(env);
  }

  // ── gateways and channels ──────────────────────────────────────────────────────────────────────────────────────

  /** A person's first connection on a shard. Refuses `not_found`; throws when PostgreSQL is not reachable. */
  async attach(shard: number, userId: UserId, presence: LocalPresence): Promise<Outcome<Attached>> {
    const isCold = !this.#isWarm;
    const core = await this.#core();
    const server = core?.view(userId);
    if (core === null || server === undefined) return NO_SERVER;
    if (isCold) core.presence.unsure(userId);
    core.presence.set(userId, shard, presence);
    this.#pushPresence();
    const presences = core.presence.shownTo(userId, LIMITS.readyPresences);
    return ok({ version: core.state.version, server, presences });
  }

  /** A person's last connection on a shard is gone. */
  async detach(shard: number, userId: UserId): Promise<void> {
    const isCold = !this.#isWarm;
    const core = await this.#core();
    if (core === null || !core.state.members.has(userId)) return;
    if (isCold) core.presence.unsure(userId);
    core.presence.clear(userId, shard);
    this.#pushPresence();
  }

  /** A person chose what to show. */
  async setPresence(shard: number, userId: UserId, presence: LocalPresence): Promise<void> {
    const isCold = !this.#isWarm;
    const core = await this.#core();
    if (core === null || !core.state.members.has(userId)) return;
    if (isCold) core.presence.unsure(userId);
    core.presence.choose(userId, shard, presence);
    this.#pushPresence();
  }

  /** What some people may view now, for a gateway that woke up. */
  async viewers(userIds: readonly UserId[]): Promise<{ version: number; users: Access[] }> {
    const core = await this.#core();
    const users = userIds.map((userId) => ({ userId, channelIds: core?.access(userId)?.channelIds ?? null }));
    // A server that is gone never comes back: nothing is newer than that.
    return { version: core?.state.version ?? Number.MAX_SAFE_INTEGER, users };
  }

  /** Effective permissions in a channel: "0" without view; null for a channel that is not (or no longer) here. */
  async permissions(channelId: ChannelId, userId: UserId): Promise<{ version: number; bits: string } | null> {
    const core = await this.#core();
    if (core === null || !core.state.channels.has(channelId)) return null;
    if (this.#askers !== "all") this.#askers.add(channelId);
    const profile = core.access(userId);
    if (profile === undefined) this.#noteStranger(userId);
    return { version: core.state.version, bits: String(profile?.channels.get(channelId) ?? 0n) };
  }

  // ── the server ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Makes this server: everyone's role, a text channel, its owner as the only member. */
  async create(userId: UserId, name: string): Promise<Outcome<ServerView>> {
    return this.#changes.run(() =>
      this.#guarded(async () => {
        const [made] = await this.#db.query(createServer, [
          this.#id,
          userId,
          name,
          v7() as RoleId,
          String(DEFAULT_PERMISSIONS),
          v7() as ChannelId,
          LIMITS.serversPerUser,
        ]);
        if (made === undefined) return refuse("limit_reached", "you are in too many servers");
        this.#loading = undefined;
        const core = await this.#core();
        const server = core?.view(userId);
        if (core === null || server === undefined) return NO_SERVER;
        const access = [{ userId, channelIds: core.access(userId)?.channelIds ?? null }];
        const events: Effects["events"] = [{ to: [userId], event: { event: "server:joined", body: { server } } }];
        await tellGateways(this.env, this.#id, { version: core.state.version, access, events });
        await this.#welcome(core, userId);
        return ok(server);
      }),
    );
  }

  /** The server as a member sees it; marks are 0. */
  view(userId: UserId): Promise<Outcome<ServerView>> {
    return this.#read((core) => {
      const server = core.view(userId);
      return server === undefined ? NO_SERVER : ok(server);
    });
  }

  update(userId: UserId, patch: ServerPatch): Promise<Outcome<ServerView>> {
    return this.#change(settings.update(userId, patch));
  }

  destroy(userId: UserId): Promise<Outcome<undefined>> {
    return this.#change(settings.destroy(userId));
  }

  // ── members ────────────────────────────────────────────────────────────────────────────────────────────────────

  async join(userId: UserId, code: string): Promise<Outcome<ServerView>> {
    const outcome = await this.#change(membership.join(userId, code));
    // Whoever has no invite learns nothing of the server, not even whether it is there.
    if (!outcome.ok && outcome.error.code === "not_found") {
      return refuse("invite_invalid", "this invite does not work (any more)");
    }
    return outcome;
  }

  /** A page of members by user id, with what is shown of them. */
  members(userId: UserId, after: UserId | undefined, limit: number) {
    return this.#read<{ members: Member[]; next: UserId | null }>((core) => {
      const { state, presence } = core;
      if (!state.members.has(userId)) return NO_SERVER;
      const ids = core.memberIds().filter((id) => after === undefined || id > after);
      const page = ids.slice(0, limit).flatMap((id) => {
        const member = state.members.get(id);
        return member === undefined ? [] : [memberView(member, id === userId ? presence.own(id) : presence.shown(id))];
      });
      return ok({ members: page, next: ids.length > limit ? (ids[limit - 1] ?? null) : null });
    });
  }

  setMemberRoles(userId: UserId, targetId: UserId, roleIds: readonly RoleId[]): Promise<Outcome<Member>> {
    return this.#change(membership.setRoles(userId, targetId, roleIds));
  }

  /** Kicks, or leaves with one's own id. */
  removeMember(userId: UserId, targetId: UserId): Promise<Outcome<undefined>> {
    return this.#change(membership.remove(userId, targetId));
  }

  ban(userId: UserId, targetId: UserId, reason: string | null): Promise<Outcome<undefined>> {
    return this.#change(membership.ban(userId, targetId, reason));
  }

  unban(userId: UserId, targetId: UserId): Promise<Outcome<undefined>> {
    return this.#change(membership.unban(userId, targetId));
  }

  bans(userId: UserId): Promise<Outcome<{ bans: Ban[] }>> {
    return this.#read(async (core) => {
      const denied = allowed(core, userId, "banMembers");
      if (denied !== null) return refused(denied);
      const rows = await this.#db.query(bansOfServer, [this.#id, LIMITS.membersPage]);
      return ok({
        bans: rows.map(({ id, username, displayName, reason, createdAt }) => ({
          user: { id, username, displayName },
          reason,
          createdAt,
        })),
      });
    });
  }

  /** The account was deleted: it leaves, whatever it was. */
  forgetMember(userId: UserId): Promise<Outcome<undefined>> {
    return this.#change(membership.forget(userId));
  }

  /** A person changed their name. */
  renameMember(user: User): Promise<Outcome<undefined>> {
    return this.#change(membership.rename(user));
  }

  // ── invites ────────────────────────────────────────────────────────────────────────────────────────────────────

  createInvite(userId: UserId, input: InviteCreate): Promise<Outcome<Invite>> {
    return this.#change(
      invites.create(
        userId,
        inviteCode((bytes) => crypto.getRandomValues(bytes)),
        input,
      ),
    );
  }

  invites(userId: UserId): Promise<Outcome<{ invites: Invite[] }>> {
    return this.#read(async (core) => {
      const denied = allowed(core, userId, "manageServer");
      if (denied !== null) return refused(denied);
      return ok({ invites: await this.#db.query(invitesOfServer, [this.#id, LIMITS.invitesPerServer]) });
    });
  }

  revokeInvite(userId: UserId, code: string, createdBy: UserId | null): Promise<Outcome<undefined>> {
    return this.#change(invites.revoke(userId, code, createdBy));
  }

  // ── roles and channels ─────────────────────────────────────────────────────────────────────────────────────────

  createRole(userId: UserId, input: RoleCreate): Promise<Outcome<Role>> {
    return this.#change(roles.create(userId, v7() as RoleId, input));
  }

  updateRole(userId: UserId, roleId: RoleId, patch: RolePatch): Promise<Outcome<Role>> {
    return this.#change(roles.update(userId, roleId, patch));
  }

  deleteRole(userId: UserId, roleId: RoleId): Promise<Outcome<undefined>> {
    return this.#change(roles.remove(userId, roleId));
  }

  createChannel(userId: UserId, input: ChannelCreate): Promise<Outcome<Channel>> {
    return this.#change(channels.create(userId, v7() as ChannelId, input));
  }

  updateChannel(userId: UserId, channelId: ChannelId, patch: ChannelPatch): Promise<Outcome<Channel>> {
    return this.#change(channels.update(userId, channelId, patch));
  }

  deleteChannel(userId: UserId, channelId: ChannelId): Promise<Outcome<undefined>> {
    return this.#change(channels.remove(userId, channelId));
  }

  putOverwrite(
    userId: UserId,
    channelId: ChannelId,
    targetId: RoleId | UserId,
    body: OverwriteBody,
  ): Promise<Outcome<Overwrite>> {
    return this.#change(channels.overwrite(userId, channelId, targetId, body));
  }

  deleteOverwrite(userId: UserId, channelId: ChannelId, targetId: RoleId | UserId): Promise<Outcome<undefined>> {
    return this.#change(channels.removeOverwrite(userId, channelId, targetId));
  }

  // ── the machinery ──────────────────────────────────────────────────────────────────────────────────────────────

  /** The server in memory, loaded when it is not; null when there is none. */
  #core(): Promise<ServerCore | null> {
    if (this.#loading !== undefined) return this.#loading;
    const loading = this.#load().catch((error: unknown) => {
      this.#forget();
      throw error;
    });
    this.#loading = loading;
    void loading.then((core) => {
      // Nothing is kept of ids that are no server's.
      if (core === null && this.#loading === loading) this.#loading = undefined;
      this.#isWarm = this.#loading !== undefined;
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
      tellGateways(this.env, this.#id, { version: state.version, access, events }).catch((error: unknown) =>
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
    tell(this.env, this.#id, { ...nothing, recheck }, recheck).catch((error: unknown) => {
      this.#askers = "all";
      this.#owesRecheck = true;
      log.error("channels were not told to check again", error, { serverId: this.#id });
    });
  }

  async #askWhoIsOnline(): Promise<PresenceTable> {
    const table = new PresenceTable(LIMITS.presencePushOnline);
    const shards = await Promise.all(gatewayActors(this.env).map((gateway) => gateway.onlineMembers(this.#id)));
    shards.forEach((people, shard) => {
      for (const { userId, presence } of people) table.seed(userId, shard, presence);
    });
    return table;
  }

  /** The state is not known any more: it is read again at the next use, and told to the gateways. */
  #forget(): void {
    this.#loading = undefined;
    this.#isWarm = false;
    this.#askers = "all";
    this.#owesRecheck = true;
  }

  async #read<T>(question: (core: ServerCore) => Outcome<T> | Promise<Outcome<T>>): Promise<Outcome<T>> {
    return this.#guarded(async () => {
      const core = await this.#core();
      return core === null ? NO_SERVER : question(core);
    });
  }

  async #change<T>(mutation: Mutation<T>): Promise<Outcome<T>> {
    if (this.#changes.length >= MAX_WAITING) return UNAVAILABLE;
    return this.#changes.run(() => this.#guarded(() => this.#apply(mutation)));
  }

  async #apply<T>(mutation: Mutation<T>): Promise<Outcome<T>> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const core = await this.#core();
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
      await tell(this.env, this.#id, effects, recheck);
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
      const shards = await Promise.all(gatewayActors(this.env).map((gateway) => gateway.onlineMembers(this.#id)));
      shards.forEach((people, shard) => {
        const local = people.find((person) => person.userId === userId);
        if (local !== undefined) core.presence.set(userId, shard, local.presence);
      });
      this.#pushPresence();
    } catch (error) {
      // They show as offline until they connect again.
      log.error("a newcomer's presence is not known", error, { serverId: this.#id });
    }
  }

  #noteStranger(userId: UserId): void {
    if (this.#strangers === "anyone") return;
    if (this.#strangers.size >= MAX_STRANGERS) this.#strangers = "anyone";
    else this.#strangers.add(userId);
  }

  #pushPresence(): void {
    if (this.#pushTimer !== undefined) return;
    this.#pushTimer = setTimeout(() => {
      this.#pushTimer = undefined;
      this.ctx.waitUntil(this.#pushPresenceNow());
    }, PRESENCE_PUSH_MS);
  }

  async #pushPresenceNow(): Promise<void> {
    const core = await this.#loading;
    if (core === null || core === undefined) return;
    const news = core.presence.take(LIMITS.readyPresences);
    if (core.presence.hasNews) this.#pushPresence();
    if (news.length === 0) return;
    const events = news.map(({ to, presence }) => ({
      to,
      event: { event: "presence:update" as const, body: presence },
    }));
    await tellGateways(this.env, this.#id, { version: core.state.version, events }).catch((error: unknown) =>
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
