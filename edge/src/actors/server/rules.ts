import type { ErrorBody } from "@lescopains/protocol/errors";
import type { ChannelId, RoleId, UserId } from "@lescopains/protocol/ids";
import { allows, type Permission, PERMISSIONS } from "@lescopains/protocol/permissions";
import { mayGrant, mayTouch, outranks } from "../../permissions/hierarchy.ts";
import type { ServerCore } from "./core.ts";
import { type ChannelState, type OverwriteState, rankOf, type RoleState } from "./state.ts";

/** A refusal, or null when the rule is kept. */
export type Verdict = ErrorBody | null;

const no = (code: ErrorBody["code"], message: string): ErrorBody => ({ code, message });

/** [SRV3] For anyone but its members a server does not exist. */
export function member(core: ServerCore, userId: UserId): Verdict {
  return core.state.members.has(userId) ? null : no("not_found", "no such server");
}

/** [SRV4] A member with this permission in the server at large. */
export function allowed(core: ServerCore, userId: UserId, permission: Permission): Verdict {
  const stranger = member(core, userId);
  if (stranger !== null) return stranger;
  return allows(core.permissions(userId), permission) ? null : no("forbidden", `this takes ${permission}`);
}

/** The owner alone. */
export function owner(core: ServerCore, userId: UserId): Verdict {
  return member(core, userId) ?? (core.state.ownerId === userId ? null : no("forbidden", "only the owner may do this"));
}

/** [PERM6] Someone of a lower rank than one's own. People who are no members rank lowest. */
export function below(core: ServerCore, userId: UserId, targetId: UserId): Verdict {
  const { state } = core;
  return outranks(rankOf(state, userId), rankOf(state, targetId)) || !state.members.has(targetId)
    ? null
    : no("forbidden", "this member's rank is not below yours");
}

/** [PERM6] A role below one's highest. */
export function manageable(core: ServerCore, userId: UserId, role: RoleState): Verdict {
  return outranks(rankOf(core.state, userId), role.position) ? null : no("forbidden", "this role is not below yours");
}

/** [PERM7] A role gives nothing that the one who changes it lacks. */
export function grantable(core: ServerCore, userId: UserId, before: bigint, after: bigint): Verdict {
  return mayGrant(core.permissions(userId), before, after)
    ? null
    : no("forbidden", "you cannot give permissions that you lack");
}

/**
 * A person may set these roles for a member: roles exist, those that come or go are below the person's highest, those
 * that come give nothing the person lacks, and the member is below (or oneself).
 */
export function assignable(core: ServerCore, userId: UserId, targetId: UserId, roleIds: readonly RoleId[]): Verdict {
  const denied = allowed(core, userId, "manageRoles");
  if (denied !== null) return denied;
  const target = core.state.members.get(targetId);
  if (target === undefined) return no("not_found", "no such member");
  if (userId !== targetId) {
    const above = below(core, userId, targetId);
    if (above !== null) return above;
  }
  for (const roleId of roleIds) {
    const role = core.state.roles.get(roleId);
    if (role === undefined) return no("not_found", "no such role");
    if (role.isDefault) return no("invalid_request", "everyone has the default role");
  }
  const [had, has] = [new Set(target.roleIds), new Set(roleIds)];
  for (const roleId of new Set([...had, ...has])) {
    const role = core.state.roles.get(roleId);
    if (role === undefined || had.has(roleId) === has.has(roleId)) continue;
    const given = has.has(roleId) ? role.permissions : 0n;
    const verdict = manageable(core, userId, role) ?? grantable(core, userId, 0n, given);
    if (verdict !== null) return verdict;
  }
  return null;
}

/** [PERM3] For anyone who cannot view it, a channel does not exist. */
export function viewable(core: ServerCore, userId: UserId, channelId: ChannelId): ChannelState | undefined {
  return core.access(userId)?.channels.has(channelId) === true ? core.state.channels.get(channelId) : undefined;
}

/** A permission in one channel that the person can view. */
export function allowedIn(core: ServerCore, userId: UserId, channelId: ChannelId, permission: Permission): Verdict {
  const bits = core.access(userId)?.channels.get(channelId);
  if (bits === undefined) return no("not_found", "no such channel");
  return allows(bits, permission) ? null : no("forbidden", `this takes ${permission} in the channel`);
}

/**
 * [PERM8] Who may replace one overwrite by another: `manageRoles` in the channel, a target below one's own rank, and only
 * bits that one has there oneself. Administrator is nobody's to give in a channel.
 */
export function overwritable(
  core: ServerCore,
  userId: UserId,
  channelId: ChannelId,
  before: OverwriteState | undefined,
  after: OverwriteState | undefined,
): Verdict {
  const denied = allowedIn(core, userId, channelId, "manageRoles");
  if (denied !== null) return denied;
  const target = after ?? before;
  if (target === undefined) return null;
  const lower = targetBelow(core, userId, target);
  if (lower !== null) return lower;
  if (after !== undefined && ((after.allow | after.deny) & PERMISSIONS.administrator) !== 0n) {
    return no("invalid_request", "administrator is not a permission of channels");
  }
  const own = core.access(userId)?.channels.get(channelId) ?? 0n;
  const touches =
    mayTouch(own, before?.allow ?? 0n, after?.allow ?? 0n) && mayTouch(own, before?.deny ?? 0n, after?.deny ?? 0n);
  return touches ? null : no("forbidden", "you cannot change permissions that you lack");
}

function targetBelow(core: ServerCore, userId: UserId, { targetId, targetType }: OverwriteState): Verdict {
  const { state } = core;
  if (targetType === "role") {
    const role = state.roles.get(targetId as RoleId);
    return role === undefined ? no("not_found", "no such role") : manageable(core, userId, role);
  }
  if (!state.members.has(targetId as UserId)) return no("not_found", "no such member");
  return below(core, userId, targetId as UserId);
}
