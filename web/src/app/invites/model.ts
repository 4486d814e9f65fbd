import type { Invite } from "@lescopains/protocol/entities";

/** What an invite to a server and one to the whole place have in common. */
export type AnyInvite = Pick<Invite, "code" | "expiresAt" | "maxUses" | "uses">;

/** How long an invite works, in seconds; null: always. */
export const LIFETIMES_S = { hour: 3_600, day: 86_400, week: 604_800, month: 2_592_000, never: null } as const;
export type Lifetime = keyof typeof LIFETIMES_S;
export const LIFETIMES = Object.keys(LIFETIMES_S) as Lifetime[];

/** How many people an invite lets in; "any" is no limit. */
export const USES = ["any", "1", "5", "10", "25", "100"] as const;
export type Uses = (typeof USES)[number];

/** What the server is asked for. */
export function inviteBody(lifetime: Lifetime, uses: Uses): { expiresIn: number | null; maxUses: number | null } {
  return { expiresIn: LIFETIMES_S[lifetime], maxUses: uses === "any" ? null : Number(uses) };
}

/** Whether an invite still lets someone in. `nowMs`: epoch milliseconds. */
export function works(invite: Omit<AnyInvite, "code">, nowMs: number): boolean {
  const spent = invite.maxUses !== null && invite.uses >= invite.maxUses;
  return !spent && (invite.expiresAt === null || Date.parse(invite.expiresAt) > nowMs);
}
