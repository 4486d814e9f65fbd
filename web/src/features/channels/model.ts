import type { Channel, Overwrite } from "@lescopains/protocol/entities";
import { type Permission, PERMISSIONS } from "@lescopains/protocol/permissions";

/** The position a channel takes when it moves by one among its neighbours; undefined at the ends. */
export function movedPosition(
  channels: readonly Pick<Channel, "id" | "position">[],
  channelId: string,
  by: -1 | 1,
): number | undefined {
  const index = channels.findIndex(({ id }) => id === channelId);
  return index === -1 ? undefined : channels[index + by]?.position;
}

/** What a channel says about one permission for a role: as the role has it, or else. */
export type Stance = "inherit" | "allow" | "deny";

export function stanceOf(overwrite: Pick<Overwrite, "allow" | "deny"> | undefined, permission: Permission): Stance {
  if (overwrite === undefined) return "inherit";
  const bit = PERMISSIONS[permission];
  if ((BigInt(overwrite.allow) & bit) !== 0n) return "allow";
  return (BigInt(overwrite.deny) & bit) === 0n ? "inherit" : "deny";
}

/** The overwrite with one permission changed, its other bits as they were. */
export function withStance(
  overwrite: Pick<Overwrite, "allow" | "deny"> | undefined,
  permission: Permission,
  stance: Stance,
): Pick<Overwrite, "allow" | "deny"> {
  const bit = PERMISSIONS[permission];
  const allow = BigInt(overwrite?.allow ?? 0) & ~bit;
  const deny = BigInt(overwrite?.deny ?? 0) & ~bit;
  return {
    allow: String(stance === "allow" ? allow | bit : allow),
    deny: String(stance === "deny" ? deny | bit : deny),
  };
}

/** An overwrite that changes nothing is taken away rather than kept. */
export function isBlank({ allow, deny }: Pick<Overwrite, "allow" | "deny">): boolean {
  return allow === "0" && deny === "0";
}
