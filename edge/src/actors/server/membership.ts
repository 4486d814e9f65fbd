import type { AnyDown, LeaveReason } from "@lescopains/protocol/down";
import type { Member, Server, User } from "@lescopains/protocol/entities";
import type { RoleId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { type MarksRow, withMarks } from "../../db/channels.ts";
import { banMember, joinServer, type JoinRow, removeMember, setMemberRoles, unbanMember } from "../../db/members.ts";
import { DatabaseError } from "../../db/port.ts";
import { type Refusal, refuse } from "@lescopains/protocol/outcome";
import type { Effects, ServerCore } from "./core.ts";
import { done, type Mutation, NO_SERVER, refused, STALE } from "./mutation.ts";
import { allowed, assignable, below, member } from "./rules.ts";
import { memberState } from "./state.ts";
import { memberView } from "./view.ts";

const INVITE_INVALID = refuse("invite_invalid", "this invite does not work (any more)");

/** [INV4] Joins with an invite. A member who joins again gets the server, and no use is counted. */
export function join(userId: UserId, code: string): Mutation<Server> {
  return async (core, db) => {
    const already = core.view(userId);
    if (already !== undefined) return done(already);
    if (core.state.members.size >= LIMITS.membersPerServer) return refuse("limit_reached", "this server is full");
    const { id, version } = core.state;
    const [row] = await db.query(joinServer, [id, version, code, userId, LIMITS.serversPerUser]);
    if (row === undefined) return STALE;
    if (row.version === null) return whyNotJoined(row, version);
    const user: User = { id: userId, username: row.username ?? "", displayName: row.displayName ?? "" };
    const effects = admit(core, row.version, user, row.joinedAt ?? "", row.marks ?? []);
    const server = core.view(userId);
    return server === undefined ? NO_SERVER : done(server, effects);
  };
}

function whyNotJoined(row: JoinRow, version: number): Refusal | typeof STALE {
  // Whoever holds no valid code learns nothing else.
  if (!row.inviteValid) return INVITE_INVALID;
  if (row.isBanned) return refuse("banned", "you are banned from this server");
  if (row.serverCount >= LIMITS.serversPerUser) return refuse("limit_reached", "you are in too many servers");
  return row.versionBefore === version ? INVITE_INVALID : STALE;
}

/** Adds a member to the state: they get the server, the others a member. */
function admit(core: ServerCore, version: number, user: User, joinedAt: string, marks: readonly MarksRow[]): Effects {
  const { state, presence } = core;
  const joiner = memberState(user, [], joinedAt);
  const others = core.others(user.id);
  state.members.set(user.id, joiner);
  state.version = version;
  const server = core.view(user.id);
  const events: Effects["events"] = [];
  if (server !== undefined)
    events.push({ to: [user.id], event: { event: "server:joined", body: { server: withMarks(server, marks) } } });
  const body = { serverId: state.id, member: memberView(joiner, presence.shown(user.id)) };
  if (others.length > 0) events.push({ to: others, event: { event: "member:joined", body } });
  const access = [{ userId: user.id, channelIds: core.access(user.id)?.channelIds ?? null }];
  return { version, access, events, recheck: [] };
}

/** Takes a member out of the state: they get the reason, the others the member's id. */
function dismiss(core: ServerCore, version: number, userId: UserId, reason: LeaveReason): Effects {
  const { state, presence } = core;
  const serverId = state.id;
  const left: AnyDown = { event: "server:left", body: { serverId, reason } };
  const gone: AnyDown = { event: "member:left", body: { serverId, userId } };
  const rewritten = [...state.channels.values()].filter(({ overwrites }) => overwrites.has(userId));
  const effects = core.change(
    version,
    // Only a channel that loses an overwrite looks different to others.
    rewritten.length > 0 ? core.others(userId) : [],
    () => {
      state.members.delete(userId);
      presence.remove(userId);
      for (const channel of rewritten) {
        const overwrites = new Map(channel.overwrites);
        overwrites.delete(userId);
        state.channels.set(channel.id, { ...channel, overwrites });
      }
    },
    {
      // The gateway removes first: `members` are those who stay.
      events: [
        { to: [userId], event: left },
        { to: "members", event: gone },
      ],
      channels: rewritten.map(({ id }) => id),
    },
  );
  return { ...effects, access: [{ userId, channelIds: null }, ...effects.access] };
}

/** Leaves (one's own id) or kicks. */
export function remove(userId: UserId, targetId: UserId): Mutation<undefined> {
  return async (core, db) => {
    const { state } = core;
    const isLeaving = userId === targetId;
    if (isLeaving && state.ownerId === userId) return refuse("conflict", "the owner hands the server over first");
    const verdict = isLeaving ? member(core, userId) : kickable(core, userId, targetId);
    if (verdict !== null) return refused(verdict);
    const [row] = await db.query(removeMember, [state.id, state.version, targetId]);
    if (row === undefined) return STALE;
    return done(undefined, dismiss(core, row.version, targetId, isLeaving ? "left" : "kicked"));
  };
}

function kickable(core: ServerCore, userId: UserId, targetId: UserId) {
  const denied = allowed(core, userId, "kickMembers");
  if (denied !== null) return denied;
  if (!core.state.members.has(targetId)) return { code: "not_found", message: "no such member" } as const;
  return below(core, userId, targetId);
}

/** [SRV14] The account goes: it leaves whether or not its membership is still stored. An owner hands over first. */
export function forget(userId: UserId): Mutation<undefined> {
  return async (core, db) => {
    const { state } = core;
    if (state.ownerId === userId) return refuse("conflict", "the owner hands the server over first");
    const [row] = await db.query(removeMember, [state.id, state.version, userId]);
    if (row === undefined) return STALE;
    return done(undefined, dismiss(core, row.version, userId, "left"));
  };
}

/** [SRV7] Bans a person, member or not, and removes them. */
export function ban(userId: UserId, targetId: UserId, reason: string | null): Mutation<undefined> {
  return async (core, db) => {
    const { state } = core;
    const denied = allowed(core, userId, "banMembers");
    if (denied !== null) return refused(denied);
    if (userId === targetId) return refuse("forbidden", "nobody bans themself");
    const above = below(core, userId, targetId);
    if (above !== null) return refused(above);
    try {
      const [row] = await db.query(banMember, [state.id, state.version, targetId, userId, reason]);
      if (row === undefined) return STALE;
      if (state.members.has(targetId)) return done(undefined, dismiss(core, row.version, targetId, "banned"));
      state.version = row.version;
      return done();
    } catch (error) {
      if (error instanceof DatabaseError && error.kind === "foreign_key") return refuse("not_found", "no such user");
      throw error;
    }
  };
}

export function unban(userId: UserId, targetId: UserId): Mutation<undefined> {
  return async (core, db) => {
    const denied = allowed(core, userId, "banMembers");
    if (denied !== null) return refused(denied);
    const [row] = await db.query(unbanMember, [core.state.id, core.state.version, targetId]);
    if (row === undefined) return STALE;
    return row.lifted === 0 ? refuse("not_found", "no such ban") : done();
  };
}

/** Sets the roles that a member has beside the default one. */
export function setRoles(userId: UserId, targetId: UserId, roleIds: readonly RoleId[]): Mutation<Member> {
  return async (core, db) => {
    const { state, presence } = core;
    const denied = assignable(core, userId, targetId, roleIds);
    if (denied !== null) return refused(denied);
    const target = state.members.get(targetId);
    if (target === undefined) return NO_SERVER;
    const next = memberState(target.user, roleIds, target.joinedAt);
    if (next.roleKey === target.roleKey) return done(memberView(target, presence.shown(targetId)));
    const [row] = await db.query(setMemberRoles, [state.id, state.version, targetId, [...next.roleIds]]);
    if (row === undefined) return STALE;
    const body = { serverId: state.id, member: memberView(next, presence.shown(targetId)) };
    const effects = core.change(row.version, [targetId], () => void state.members.set(targetId, next), {
      events: [{ to: "members", event: { event: "member:updated", body } }],
    });
    return done(body.member, effects);
  };
}

/** [SRV15] A person's name changed: the record is theirs, only the copy here is old. */
export function rename(user: User): Mutation<undefined> {
  return async (core) => {
    const { state, presence } = core;
    const before = state.members.get(user.id);
    if (before === undefined) return done();
    const next = memberState(user, before.roleIds, before.joinedAt);
    state.members.set(user.id, next);
    const body = { serverId: state.id, member: memberView(next, presence.shown(user.id)) };
    return done(undefined, {
      version: state.version,
      access: [],
      events: [{ to: "members", event: { event: "member:updated", body } }],
      recheck: [],
    });
  };
}
