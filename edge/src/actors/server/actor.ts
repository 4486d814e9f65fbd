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
import { v7 } from "uuid";
import { invitesOfServer } from "../../db/invites.ts";
import { bansOfServer } from "../../db/members.ts";
import { type Database, database } from "../../db/port.ts";
import { createServer } from "../../db/servers.ts";
import { Actor } from "../../platform/actor.ts";
import type { Env } from "../../platform/env.ts";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import type { Access, LocalPresence } from "../gateway/messages.ts";
import * as channels from "./channels.ts";
import { inviteCode } from "./invite-code.ts";
import * as invites from "./invites.ts";
import { Keeper } from "./keeper.ts";
import * as membership from "./membership.ts";
import { NO_SERVER, refused } from "./mutation.ts";
import * as roles from "./roles.ts";
import * as rules from "./rules.ts";
import * as settings from "./settings.ts";
import { tellGateways } from "./told.ts";
import { memberView } from "./view.ts";

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
export class Server extends Actor {
  readonly #id: ServerId;
  readonly #db: Database;
  readonly #server: Keeper;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    if (ctx.id.name === undefined) throw new Error("a server actor is reached by its server's id");
    this.#id = ctx.id.name as ServerId;
    this.#db = database(env);
    const waitUntil = (work: Promise<void>) => ctx.waitUntil(work);
    this.#server = new Keeper({ id: this.#id, db: this.#db, env, waitUntil });
  }

  // ── gateways and channels ──────────────────────────────────────────────────────────────────────────────────────

  /** A person's first connection on a shard. Refuses `not_found`; throws when PostgreSQL is not reachable. */
  async attach(shard: number, userId: UserId, presence: LocalPresence): Promise<Outcome<Attached>> {
    const isCold = !this.#server.isWarm;
    const core = await this.#server.core();
    const server = core?.view(userId);
    if (core === null || server === undefined) return NO_SERVER;
    if (isCold) core.presence.unsure(userId);
    core.presence.set(userId, shard, presence);
    this.#server.pushPresence();
    const presences = core.presence.shownTo(userId, LIMITS.readyPresences);
    return ok({ version: core.state.version, server, presences });
  }

  /** A person's last connection on a shard is gone. */
  async detach(shard: number, userId: UserId): Promise<void> {
    const isCold = !this.#server.isWarm;
    const core = await this.#server.core();
    if (core === null || !core.state.members.has(userId)) return;
    if (isCold) core.presence.unsure(userId);
    core.presence.clear(userId, shard);
    this.#server.pushPresence();
  }

  /** A person chose what to show. */
  async setPresence(shard: number, userId: UserId, presence: LocalPresence): Promise<void> {
    const isCold = !this.#server.isWarm;
    const core = await this.#server.core();
    if (core === null || !core.state.members.has(userId)) return;
    if (isCold) core.presence.unsure(userId);
    core.presence.choose(userId, shard, presence);
    this.#server.pushPresence();
  }

  /** What some people may view now, for a gateway that woke up. */
  async viewers(userIds: readonly UserId[]): Promise<{ version: number; users: Access[] }> {
    const core = await this.#server.core();
    const users = userIds.map((userId) => ({ userId, channelIds: core?.access(userId)?.channelIds ?? null }));
    // A server that is gone never comes back: nothing is newer than that.
    return { version: core?.state.version ?? Number.MAX_SAFE_INTEGER, users };
  }

  /** Effective permissions in a channel: "0" without view; null for a channel that is not (or no longer) here. */
  async permissions(channelId: ChannelId, userId: UserId): Promise<{ version: number; bits: string } | null> {
    const core = await this.#server.core();
    if (core === null || !core.state.channels.has(channelId)) return null;
    const profile = core.access(userId);
    this.#server.noteAsked(channelId, userId, profile !== undefined);
    return { version: core.state.version, bits: String(profile?.channels.get(channelId) ?? 0n) };
  }

  /** [PERM6] Whether a person may act upon another. */
  mayActOn(userId: UserId, targetId: UserId): Promise<Outcome<undefined>> {
    return this.#server.read((core) => {
      const denied = rules.member(core, userId) ?? rules.below(core, userId, targetId);
      return denied === null ? ok() : refused(denied);
    });
  }

  /** [VO9] A person came to a voice channel, or left it: whoever may view it is told, as far as presence is told at all. */
  async voiceChanged(channelId: ChannelId, userId: UserId, isIn: boolean): Promise<void> {
    const core = await this.#server.core();
    if (core === null || core.presence.online > LIMITS.presencePushOnline) return;
    const to = [...core.presence.users()].filter((id) => core.access(id)?.channels.has(channelId) === true);
    const body = { userId, ...core.presence.shown(userId), inVoiceChannel: isIn ? channelId : null };
    await tellGateways(this.env, this.#id, {
      version: core.state.version,
      events: [{ to, event: { event: "presence:update", body } }],
    });
    // It told their own sockets, too, what others see: less than they see of themselves.
    core.presence.unsure(userId);
    this.#server.pushPresence();
  }

  // ── the server ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Makes this server: everyone's role, a text channel, its owner as the only member. */
  create(userId: UserId, name: string): Promise<Outcome<ServerView>> {
    return this.#server.make(userId, async () => {
      const [made] = await this.#db.query(createServer, [
        this.#id,
        userId,
        name,
        v7() as RoleId,
        String(DEFAULT_PERMISSIONS),
        v7() as ChannelId,
        LIMITS.serversPerUser,
      ]);
      return made === undefined ? refuse("limit_reached", "you are in too many servers") : ok();
    });
  }

  /** The server as a member sees it; marks are 0. */
  view(userId: UserId): Promise<Outcome<ServerView>> {
    return this.#server.read((core) => {
      const server = core.view(userId);
      return server === undefined ? NO_SERVER : ok(server);
    });
  }

  update(userId: UserId, patch: ServerPatch): Promise<Outcome<ServerView>> {
    return this.#server.change(settings.update(userId, patch));
  }

  destroy(userId: UserId): Promise<Outcome<undefined>> {
    return this.#server.change(settings.destroy(userId));
  }

  // ── members ────────────────────────────────────────────────────────────────────────────────────────────────────

  async join(userId: UserId, code: string): Promise<Outcome<ServerView>> {
    const outcome = await this.#server.change(membership.join(userId, code));
    // Whoever has no invite learns nothing of the server, not even whether it is there.
    if (!outcome.ok && outcome.error.code === "not_found") {
      return refuse("invite_invalid", "this invite does not work (any more)");
    }
    return outcome;
  }

  /** A page of members by user id, with what is shown of them. */
  members(userId: UserId, after: UserId | undefined, limit: number) {
    return this.#server.read<{ members: Member[]; next: UserId | null }>((core) => {
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
    return this.#server.change(membership.setRoles(userId, targetId, roleIds));
  }

  /** Kicks, or leaves with one's own id. */
  removeMember(userId: UserId, targetId: UserId): Promise<Outcome<undefined>> {
    return this.#server.change(membership.remove(userId, targetId));
  }

  ban(userId: UserId, targetId: UserId, reason: string | null): Promise<Outcome<undefined>> {
    return this.#server.change(membership.ban(userId, targetId, reason));
  }

  unban(userId: UserId, targetId: UserId): Promise<Outcome<undefined>> {
    return this.#server.change(membership.unban(userId, targetId));
  }

  bans(userId: UserId): Promise<Outcome<{ bans: Ban[] }>> {
    return this.#server.read(async (core) => {
      const denied = rules.allowed(core, userId, "banMembers");
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
    return this.#server.change(membership.forget(userId));
  }

  /** A person changed their name. */
  renameMember(user: User): Promise<Outcome<undefined>> {
    return this.#server.change(membership.rename(user));
  }

  // ── invites ────────────────────────────────────────────────────────────────────────────────────────────────────

  createInvite(userId: UserId, input: InviteCreate): Promise<Outcome<Invite>> {
    return this.#server.change(
      invites.create(
        userId,
        inviteCode((bytes) => crypto.getRandomValues(bytes)),
        input,
      ),
    );
  }

  invites(userId: UserId): Promise<Outcome<{ invites: Invite[] }>> {
    return this.#server.read(async (core) => {
      const denied = rules.allowed(core, userId, "manageServer");
      if (denied !== null) return refused(denied);
      return ok({ invites: await this.#db.query(invitesOfServer, [this.#id, LIMITS.invitesPerServer]) });
    });
  }

  revokeInvite(userId: UserId, code: string, createdBy: UserId | null): Promise<Outcome<undefined>> {
    return this.#server.change(invites.revoke(userId, code, createdBy));
  }

  // ── roles and channels ─────────────────────────────────────────────────────────────────────────────────────────

  createRole(userId: UserId, input: RoleCreate): Promise<Outcome<Role>> {
    return this.#server.change(roles.create(userId, v7() as RoleId, input));
  }

  updateRole(userId: UserId, roleId: RoleId, patch: RolePatch): Promise<Outcome<Role>> {
    return this.#server.change(roles.update(userId, roleId, patch));
  }

  deleteRole(userId: UserId, roleId: RoleId): Promise<Outcome<undefined>> {
    return this.#server.change(roles.remove(userId, roleId));
  }

  createChannel(userId: UserId, input: ChannelCreate): Promise<Outcome<Channel>> {
    return this.#server.change(channels.create(userId, v7() as ChannelId, input));
  }

  updateChannel(userId: UserId, channelId: ChannelId, patch: ChannelPatch): Promise<Outcome<Channel>> {
    return this.#server.change(channels.update(userId, channelId, patch));
  }

  deleteChannel(userId: UserId, channelId: ChannelId): Promise<Outcome<undefined>> {
    return this.#server.change(channels.remove(userId, channelId));
  }

  putOverwrite(
    userId: UserId,
    channelId: ChannelId,
    targetId: RoleId | UserId,
    body: OverwriteBody,
  ): Promise<Outcome<Overwrite>> {
    return this.#server.change(channels.overwrite(userId, channelId, targetId, body));
  }

  deleteOverwrite(userId: UserId, channelId: ChannelId, targetId: RoleId | UserId): Promise<Outcome<undefined>> {
    return this.#server.change(channels.removeOverwrite(userId, channelId, targetId));
  }
}
