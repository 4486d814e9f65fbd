import type { ChannelType, User } from "@lescopains/protocol/entities";
import type { ChannelId, RoleId, ServerId, UserId } from "@lescopains/protocol/ids";
import type { PermissionBits } from "@lescopains/protocol/permissions";
import { rank } from "../../permissions/hierarchy.ts";

/** A server as its actor keeps it in memory. Records are replaced, never changed; the maps change in place. */
export interface ServerState {
  readonly id: ServerId;
  name: string;
  readonly iconUrl: string | null;
  ownerId: UserId;
  readonly encrypted: boolean;
  readonly createdAt: string;
  /** `servers.version` that this state stands for. */
  version: number;
  readonly defaultRoleId: RoleId;
  readonly roles: Map<RoleId, RoleState>;
  readonly channels: Map<ChannelId, ChannelState>;
  readonly members: Map<UserId, MemberState>;
}

export interface RoleState {
  readonly id: RoleId;
  readonly name: string;
  readonly permissions: PermissionBits;
  readonly color: number | null;
  readonly position: number;
  readonly isDefault: boolean;
}

export interface ChannelState {
  readonly id: ChannelId;
  readonly name: string;
  readonly type: ChannelType;
  readonly topic: string | null;
  readonly position: number;
  readonly parentId: ChannelId | null;
  readonly encrypted: boolean;
  readonly createdAt: string;
  readonly overwrites: ReadonlyMap<string, OverwriteState>;
}

export interface OverwriteState {
  readonly targetId: RoleId | UserId;
  readonly targetType: "role" | "member";
  readonly allow: PermissionBits;
  readonly deny: PermissionBits;
}

export interface MemberState {
  readonly user: User;
  /** Beside the default role; sorted. */
  readonly roleIds: readonly RoleId[];
  /** `roleIds` as one string: members with equal roles share what is computed for them. */
  readonly roleKey: string;
  readonly joinedAt: string;
}

export function memberState(user: User, roleIds: Iterable<RoleId>, joinedAt: string): MemberState {
  const sorted = [...new Set(roleIds)].toSorted();
  return { user, roleIds: sorted, roleKey: sorted.join(), joinedAt };
}

/** Position of a person's highest role; infinite for the owner, 0 without roles. */
export function rankOf(state: ServerState, userId: UserId): number {
  const roleIds = state.members.get(userId)?.roleIds ?? [];
  return rank(
    state.ownerId === userId,
    roleIds.map((id) => state.roles.get(id)?.position ?? 0),
  );
}

/** Roles or channels in the order that people see, ties by id (ids sort by time). */
export function inOrder<T extends { readonly id: string; readonly position: number }>(items: Iterable<T>): T[] {
  return [...items].toSorted((a, b) => a.position - b.position || (a.id < b.id ? -1 : 1));
}

/**
 * Moves one thing to `index` among `items` and numbers all of them again from `first`: the items whose position is now
 * another one. An index beyond the end means the end.
 */
export function moved<T extends { readonly id: string; readonly position: number }>(
  items: Iterable<T>,
  id: string,
  index: number,
  first: number,
): { readonly id: T["id"]; readonly position: number }[] {
  const ordered = inOrder(items);
  const from = ordered.findIndex((item) => item.id === id);
  ordered.splice(index, 0, ...ordered.splice(from, 1));
  return ordered
    .map((item, at) => ({ id: item.id as T["id"], before: item.position, position: at + first }))
    .filter((item) => item.before !== item.position)
    .map((item) => ({ id: item.id, position: item.position }));
}
