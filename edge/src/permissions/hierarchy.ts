import type { PermissionBits } from "@lescopains/protocol/permissions";

/** Where someone stands: the position of their highest role; the default role is 0, the owner is above all. */
export function rank(isOwner: boolean, positions: Iterable<number>): number {
  if (isOwner) return Number.POSITIVE_INFINITY;
  let highest = 0;
  for (const position of positions) highest = Math.max(highest, position);
  return highest;
}

/** Whether someone of rank `mine` may manage a role or a member of rank `theirs`: equals may not. */
export function outranks(mine: number, theirs: number): boolean {
  return mine > theirs;
}

/** Whether changing a role from `before` to `after` gives nothing that the one who does it lacks. Taking away is free. */
export function mayGrant(own: PermissionBits, before: PermissionBits, after: PermissionBits): boolean {
  return (after & ~before & ~own) === 0n;
}

/** Whether a change of an overwrite touches, either way, only bits that the one who does it has. */
export function mayTouch(own: PermissionBits, before: PermissionBits, after: PermissionBits): boolean {
  return ((before ^ after) & ~own) === 0n;
}
