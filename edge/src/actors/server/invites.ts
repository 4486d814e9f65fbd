import type { Invite } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import { LIMITS, PERIODS } from "@lescopains/protocol/limits";
import type { InviteCreate } from "@lescopains/protocol/rest";
import { createInvite, revokeInvite } from "../../db/invites.ts";
import { refuse } from "@lescopains/protocol/outcome";
import { done, type Mutation, refused, STALE } from "./mutation.ts";
import { allowed, member } from "./rules.ts";

const NO_INVITE = refuse("invite_invalid", "no such invite");

export function create(userId: UserId, code: string, input: InviteCreate): Mutation<Invite> {
  return async (core, db) => {
    const { state } = core;
    const denied = allowed(core, userId, "createInvites");
    if (denied !== null) return refused(denied);
    const expiresInS = input.expiresIn === undefined ? PERIODS.inviteDefaultMs / 1_000 : input.expiresIn;
    const [row] = await db.query(createInvite, [
      state.id,
      state.version,
      code,
      userId,
      expiresInS,
      input.maxUses ?? null,
      LIMITS.invitesPerServer,
    ]);
    if (row === undefined) return STALE;
    if (row.code === null) return refuse("limit_reached", "this server has too many invites");
    const { serverId, createdBy, createdAt, expiresAt, maxUses, uses } = row;
    return done({ code, serverId, createdBy, createdAt, expiresAt, maxUses, uses });
  };
}

/** Revoking takes `manageServer`, or being the one who made the invite. */
export function revoke(userId: UserId, code: string, createdBy: UserId | null): Mutation<undefined> {
  return async (core, db) => {
    const { state } = core;
    if (member(core, userId) !== null) return NO_INVITE;
    const denied = createdBy === userId ? null : allowed(core, userId, "manageServer");
    if (denied !== null) return refused(denied);
    const [row] = await db.query(revokeInvite, [state.id, state.version, code]);
    if (row === undefined) return STALE;
    return row.gone === 0 ? NO_INVITE : done();
  };
}
