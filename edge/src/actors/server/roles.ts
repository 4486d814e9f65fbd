import type { Role } from "@lescopains/protocol/entities";
import type { RoleId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import type { RoleCreate, RolePatch } from "@lescopains/protocol/rest";
import { createRole, deleteRole, updateRole } from "../../db/roles.ts";
import { refuse } from "@lescopains/protocol/outcome";
import type { Effects, ServerCore } from "./core.ts";
import { done, type Mutation, refused, STALE } from "./mutation.ts";
import { allowed, grantable, manageable } from "./rules.ts";
import { memberState, moved, type RoleState } from "./state.ts";
import { roleView } from "./view.ts";

type RoleMoves = readonly { readonly id: RoleId; readonly position: number }[];

/** A new role stands at the bottom, just above the default one, so that it outranks nobody. */
export function create(userId: UserId, roleId: RoleId, input: RoleCreate): Mutation<Role> {
  return async (core, db) => {
    const { state } = core;
    const permissions = BigInt(input.permissions);
    const role: RoleState = {
      id: roleId,
      name: input.name,
      permissions,
      color: input.color ?? null,
      position: 1,
      isDefault: false,
    };
    const verdict =
      allowed(core, userId, "manageRoles") ??
      manageable(core, userId, role) ??
      grantable(core, userId, 0n, permissions);
    if (verdict !== null) return refused(verdict);
    if (state.roles.size >= LIMITS.rolesPerServer) return refuse("limit_reached", "this server has too many roles");
    const moves = moved([...ranked(core), role], roleId, 0, 1);
    const others = moves.filter(({ id }) => id !== roleId);
    const [row] = await db.query(createRole, [
      state.id,
      state.version,
      roleId,
      role.name,
      String(permissions),
      role.color,
      role.position,
      others.map(({ id }) => id),
      others.map(({ position }) => position),
    ]);
    if (row === undefined) return STALE;
    const apply = () => {
      place(core, others);
      state.roles.set(roleId, role);
    };
    // Nobody has the role yet: nobody's permissions move.
    const effects = core.change(row.version, [], apply, { recheck: [] });
    const created = roleView(state.id, role);
    return done(created, {
      ...effects,
      events: [{ to: "members", event: { event: "role:created", body: { role: created } } }, ...updates(core, others)],
    });
  };
}

export function update(userId: UserId, roleId: RoleId, patch: RolePatch): Mutation<Role> {
  return async (core, db) => {
    const { state } = core;
    const denied = allowed(core, userId, "manageRoles");
    if (denied !== null) return refused(denied);
    const role = state.roles.get(roleId);
    if (role === undefined) return refuse("not_found", "no such role");
    const permissions = patch.permissions === undefined ? role.permissions : BigInt(patch.permissions);
    const verdict = manageable(core, userId, role) ?? grantable(core, userId, role.permissions, permissions);
    if (verdict !== null) return refused(verdict);
    if (patch.position !== undefined && role.isDefault)
      return refuse("invalid_request", "the default role stays below");
    const moves = patch.position === undefined ? [] : moved(ranked(core), roleId, patch.position - 1, 1);
    for (const { id, position } of moves) {
      const other = state.roles.get(id);
      const above = manageable(core, userId, {
        ...(other ?? role),
        position: Math.max(position, other?.position ?? 0),
      });
      if (above !== null) return refused(above);
    }
    const next: RoleState = {
      ...role,
      name: patch.name ?? role.name,
      permissions,
      color: patch.color === undefined ? role.color : patch.color,
      position: moves.find(({ id }) => id === roleId)?.position ?? role.position,
    };
    const [row] = await db.query(updateRole, [
      state.id,
      state.version,
      roleId,
      next.name,
      String(permissions),
      next.color,
      moves.map(({ id }) => id),
      moves.map(({ position }) => position),
    ]);
    if (row === undefined) return STALE;
    const apply = () => {
      place(core, moves);
      state.roles.set(roleId, next);
    };
    const isSame = permissions === role.permissions;
    const effects = core.change(row.version, isSame ? [] : "everyone", apply, isSame ? { recheck: [] } : {});
    const others = moves.filter(({ id }) => id !== roleId);
    const updated = roleView(state.id, next);
    return done(updated, {
      ...effects,
      events: [
        { to: "members", event: { event: "role:updated", body: { role: updated } } },
        ...updates(core, others),
        ...effects.events,
      ],
    });
  };
}

/** Deletes a role, and takes it from its members and out of the channels. */
export function remove(userId: UserId, roleId: RoleId): Mutation<undefined> {
  return async (core, db) => {
    const { state } = core;
    const denied = allowed(core, userId, "manageRoles");
    if (denied !== null) return refused(denied);
    const role = state.roles.get(roleId);
    if (role === undefined) return refuse("not_found", "no such role");
    if (role.isDefault) return refuse("invalid_request", "the default role cannot be deleted");
    const above = manageable(core, userId, role);
    if (above !== null) return refused(above);
    const [row] = await db.query(deleteRole, [state.id, state.version, roleId]);
    if (row === undefined) return STALE;
    const rewritten = [...state.channels.values()].filter(({ overwrites }) => overwrites.has(roleId));
    const apply = () => {
      state.roles.delete(roleId);
      for (const [id, member] of state.members) {
        if (!member.roleIds.includes(roleId)) continue;
        const left = member.roleIds.filter((other) => other !== roleId);
        state.members.set(id, memberState(member.user, left, member.joinedAt));
      }
      for (const channel of rewritten) {
        const overwrites = new Map(channel.overwrites);
        overwrites.delete(roleId);
        state.channels.set(channel.id, { ...channel, overwrites });
      }
    };
    const effects = core.change(row.version, "everyone", apply, {
      channels: rewritten.map(({ id }) => id),
      events: [{ to: "members", event: { event: "role:deleted", body: { serverId: state.id, roleId } } }],
    });
    return done(undefined, effects);
  };
}

/** Roles beside the default one, which does not move. */
function ranked(core: ServerCore): RoleState[] {
  return [...core.state.roles.values()].filter(({ isDefault }) => !isDefault);
}

function place({ state }: ServerCore, moves: RoleMoves): void {
  for (const { id, position } of moves) {
    const role = state.roles.get(id);
    if (role !== undefined) state.roles.set(id, { ...role, position });
  }
}

function updates({ state }: ServerCore, moves: RoleMoves): Effects["events"] {
  return moves.flatMap(({ id }) => {
    const role = state.roles.get(id);
    if (role === undefined) return [];
    return [
      { to: "members" as const, event: { event: "role:updated" as const, body: { role: roleView(state.id, role) } } },
    ];
  });
}
