import type { Member, Role } from "@lescopains/protocol/entities";
import { allows, type Permission, PERMISSIONS } from "@lescopains/protocol/permissions";

/** Permissions that one can give here, by what they are about. Bits that are not listed are kept as they are. */
export const PERMISSION_GROUPS = [
  { id: "talk", permissions: ["viewChannel", "readHistory", "sendMessages", "addReactions", "createInvites"] },
  { id: "care", permissions: ["manageMessages", "kickMembers", "banMembers"] },
  { id: "shape", permissions: ["manageChannels", "manageRoles", "manageServer", "administrator"] },
] as const satisfies readonly { readonly id: string; readonly permissions: readonly Permission[] }[];

export type ListedPermission = (typeof PERMISSION_GROUPS)[number]["permissions"][number];

export function holds(permissions: string, permission: Permission): boolean {
  return (BigInt(permissions) & PERMISSIONS[permission]) !== 0n;
}

/** A wire permission string with one bit set or cleared. */
export function withPermission(permissions: string, permission: Permission, on: boolean): string {
  const bit = PERMISSIONS[permission];
  return String(on ? BigInt(permissions) | bit : BigInt(permissions) & ~bit);
}

/** One gives what one has: nobody hands out more than their own rights. */
export function mayGive(ownPermissions: string, permission: Permission): boolean {
  return allows(BigInt(ownPermissions), permission);
}

/** Roles apart from the default one, highest first. */
export function rankedRoles(roles: readonly Role[]): readonly Role[] {
  return roles.filter((role) => !role.isDefault).toSorted((one, other) => other.position - one.position);
}

/** Colours offered for a role, as 0xRRGGBB; they are seen as a dot, never as text. */
export const ROLE_COLORS = [
  0xe2_76_3a, 0xd9_a0_21, 0x8f_a8_2f, 0x3f_a8_6b, 0x2f_a3_a0, 0x3f_8f_d6, 0x7c_74_e0, 0xc2_62_b5, 0xd9_57_63,
] as const;

/** Members whose name holds what was typed, the role's own first, at most `limit`. */
export function membersFor(
  role: Pick<Role, "id">,
  members: readonly Member[],
  typed: string,
  limit: number,
): readonly Member[] {
  const wanted = typed.trim().toLowerCase();
  return members
    .filter(({ user }) => `${user.displayName} ${user.username}`.toLowerCase().includes(wanted))
    .toSorted(
      (one, other) =>
        Number(other.roleIds.includes(role.id)) - Number(one.roleIds.includes(role.id)) ||
        one.user.displayName.localeCompare(other.user.displayName),
    )
    .slice(0, limit);
}
