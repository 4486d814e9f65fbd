import * as v from "valibot";
import { Count, label, LinkSecret, User } from "./entities.ts";
import { Timestamp, UserId } from "./ids.ts";
import { Registration } from "./instance.ts";
import { LIMITS, PERIODS } from "./limits.ts";
import { NodeLoad } from "./sfu/registry.ts";
import { NodeId } from "./sfu/token.ts";

export const InstancePatch = v.object({
  name: v.optional(label(LIMITS.serverNameMax)),
  registration: v.optional(Registration),
  serverInvites: v.optional(v.boolean()),
});
export type InstancePatch = v.InferOutput<typeof InstancePatch>;

export const ClaimBody = v.object({ secret: LinkSecret });

/** An account as operators see it: who, since when, with what; never what anybody wrote. */
export const OperatorUser = v.object({
  ...User.entries,
  email: v.nullable(v.string()),
  createdAt: Timestamp,
  /** When one of its sign-ins was last used; null: signed in nowhere. */
  lastUsedAt: v.nullable(Timestamp),
  operator: v.boolean(),
  disabled: v.boolean(),
  totpEnabled: v.boolean(),
  /** Servers it owns, which go with it when an operator deletes it. */
  ownedServers: Count,
});
export type OperatorUser = v.InferOutput<typeof OperatorUser>;

export const OperatorUsers = v.object({ users: v.array(OperatorUser), next: v.nullable(v.string()) });
export type OperatorUsers = v.InferOutput<typeof OperatorUsers>;

/** One change at a time: each is a line of the log. */
export const OperatorUserPatch = v.variant("change", [
  /** Sessions end at once, and signing in is refused. */
  v.object({ change: v.literal("disable") }),
  v.object({ change: v.literal("enable") }),
  v.object({ change: v.literal("promote") }),
  v.object({ change: v.literal("demote") }),
  /** Ends two-factor sign-in for somebody who lost both the phone and the recovery codes. */
  v.object({ change: v.literal("resetTotp") }),
]);
export type OperatorUserPatch = v.InferOutput<typeof OperatorUserPatch>;

/** The secret stands behind the `#` of the link's address, `/reset#…`. `expiresIn` in seconds. */
export const MadePasswordLink = v.object({ secret: LinkSecret, expiresIn: Count });
export type MadePasswordLink = v.InferOutput<typeof MadePasswordLink>;

/** `ownedServers`: how many servers go with the account, as it was shown; another number is refused with `conflict`. */
export const OperatorUserDelete = v.object({ ownedServers: Count });

export const InstanceInvite = v.object({
  code: v.string(),
  createdBy: v.nullable(UserId),
  createdAt: Timestamp,
  /** Null: never. */
  expiresAt: v.nullable(Timestamp),
  /** Null: any number. */
  maxUses: v.nullable(Count),
  uses: Count,
});
export type InstanceInvite = v.InferOutput<typeof InstanceInvite>;

export const InstanceInviteCreate = v.object({
  maxUses: v.nullable(v.pipe(Count, v.minValue(1), v.maxValue(10_000))),
  /** Seconds; null: never. */
  expiresIn: v.nullable(v.pipe(Count, v.minValue(60), v.maxValue(PERIODS.inviteMaxMs / 1_000))),
});

export const VoiceNode = v.object({
  id: NodeId,
  url: v.string(),
  region: v.string(),
  version: v.string(),
  draining: v.boolean(),
  connected: v.boolean(),
  load: NodeLoad,
});
export type VoiceNode = v.InferOutput<typeof VoiceNode>;

/** `minutes`: how long those who are there may stay. */
export const VoiceNodePatch = v.variant("draining", [
  v.object({ draining: v.literal(true), minutes: v.pipe(Count, v.maxValue(24 * 60)) }),
  v.object({ draining: v.literal(false) }),
]);
export type VoiceNodePatch = v.InferOutput<typeof VoiceNodePatch>;

export const OperatorStatus = v.object({
  version: v.string(),
  /** Of PostgreSQL. */
  databaseVersion: v.string(),
  databaseBytes: Count,
  /** The largest tables with their indexes, largest first. `rows` is PostgreSQL's estimate. */
  tables: v.array(v.object({ name: v.string(), bytes: Count, rows: Count })),
  users: Count,
  servers: Count,
  /** Open now, on all gateways. */
  sockets: Count,
  /** Voice nodes that are connected. */
  nodes: Count,
  /** Whether who asks came by a proxy that TRUSTED_PROXY does not name: everybody behind it is limited as one. */
  unnamedProxy: v.boolean(),
});
export type OperatorStatus = v.InferOutput<typeof OperatorStatus>;

export const OPERATOR_ACTIONS = [
  "claim",
  "user.disable",
  "user.enable",
  "user.promote",
  "user.demote",
  "user.resetTotp",
  "user.passwordLink",
  "user.delete",
  "instance.change",
  "invite.create",
  "invite.revoke",
  "node.drain",
  "node.undrain",
] as const;
export const OperatorAction = v.picklist(OPERATOR_ACTIONS);
export type OperatorAction = v.InferOutput<typeof OperatorAction>;

/** Who did what, when. Names as they were then. */
export const OperatorEntry = v.object({
  id: Count,
  at: Timestamp,
  operator: v.object({ id: UserId, name: v.string() }),
  action: OperatorAction,
  subject: v.nullable(v.string()),
  subjectName: v.nullable(v.string()),
  details: v.nullable(v.record(v.string(), v.unknown())),
});
export type OperatorEntry = v.InferOutput<typeof OperatorEntry>;

export const OperatorLog = v.object({ entries: v.array(OperatorEntry), next: v.nullable(Count) });
export type OperatorLog = v.InferOutput<typeof OperatorLog>;
