import type { Member, Role, Self, Server } from "@lescopains/protocol/entities";
import { allows, type Permission } from "@lescopains/protocol/permissions";

/** Whether a decimal permission string of the wire holds `permission`. */
export function may(permissions: string, permission: Permission): boolean {
  return allows(BigInt(permissions), permission);
}

/** The highest position among roles; 0 with the default role alone. */
function rank(roleIds: readonly string[], roles: readonly Role[]): number {
  return Math.max(0, ...roles.filter((role) => roleIds.includes(role.id)).map((role) => role.position));
}

/**
 * How high a person stands in a server: its owner above all roles. The server decides for good; this only keeps the
 * client from offering what would be refused.
 */
export function standing(server: Server, userId: string, members: readonly Member[]): number {
  if (server.ownerId === userId) return Number.POSITIVE_INFINITY;
  const member = members.find(({ user }) => user.id === userId);
  return member === undefined ? 0 : rank(member.roleIds, server.roles);
}

/** Whether `self` may act upon another member with `permission`: not upon oneself, nor on someone as high. */
export function mayActOn(
  server: Server,
  self: Self,
  target: Member,
  members: readonly Member[],
  permission: Permission,
): boolean {
  return (
    self.id !== target.user.id &&
    may(server.permissions, permission) &&
    standing(server, self.id, members) > standing(server, target.user.id, members)
  );
}
