import { ALL_PERMISSIONS, PERMISSIONS, type PermissionBits } from "@lescopains/protocol/permissions";

/** What one channel changes for one role or one member. */
export interface OverwriteBits {
  readonly targetType: "role" | "member";
  readonly allow: PermissionBits;
  readonly deny: PermissionBits;
}

/** Whose permissions are computed: roles beside the default one. */
export interface Holder {
  readonly userId: string;
  readonly defaultRoleId: string;
  readonly roleIds: readonly string[];
}

/**
 * Permissions in the server at large: everything for the owner and for administrators, else what the default role and
 * the member's roles give together.
 */
export function serverPermissions(isOwner: boolean, roles: Iterable<PermissionBits>): PermissionBits {
  if (isOwner) return ALL_PERMISSIONS;
  let bits = 0n;
  for (const role of roles) bits |= role;
  return (bits & PERMISSIONS.administrator) === 0n ? bits : ALL_PERMISSIONS;
}

/**
 * Permissions in one channel: `base` (from {@link serverPermissions}) changed by the overwrite of the default role, then
 * by those of all the member's roles together (deny, then allow), then by the member's own. Without `viewChannel` nothing
 * remains. A channel makes nobody administrator: that bit of an overwrite counts for nothing.
 */
export function channelPermissions(
  base: PermissionBits,
  overwrites: ReadonlyMap<string, OverwriteBits>,
  holder: Holder,
): PermissionBits {
  if ((base & PERMISSIONS.administrator) !== 0n) return ALL_PERMISSIONS;
  let bits = changed(base, of(overwrites, holder.defaultRoleId, "role"));
  let allow = 0n;
  let deny = 0n;
  for (const roleId of holder.roleIds) {
    const overwrite = of(overwrites, roleId, "role");
    if (overwrite === undefined) continue;
    allow |= overwrite.allow;
    deny |= overwrite.deny;
  }
  bits = changed(bits, { allow, deny });
  bits = changed(bits, of(overwrites, holder.userId, "member"));
  return (bits & PERMISSIONS.viewChannel) === 0n ? 0n : bits;
}

function of(overwrites: ReadonlyMap<string, OverwriteBits>, targetId: string, targetType: OverwriteBits["targetType"]) {
  const overwrite = overwrites.get(targetId);
  return overwrite?.targetType === targetType ? overwrite : undefined;
}

function changed(
  bits: PermissionBits,
  by: { allow: PermissionBits; deny: PermissionBits } | undefined,
): PermissionBits {
  return by === undefined ? bits : (bits & ~by.deny) | (by.allow & ~PERMISSIONS.administrator);
}
