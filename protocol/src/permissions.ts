import * as v from "valibot";

/** Permission bits, 64-bit. On the wire a set of them is a decimal string, in PostgreSQL a BIGINT. A bit never changes its meaning. */
export const PERMISSIONS = {
  administrator: 1n << 0n,
  manageServer: 1n << 1n,
  manageRoles: 1n << 2n,
  manageChannels: 1n << 3n,
  manageMessages: 1n << 4n,
  manageWebhooks: 1n << 5n,
  manageEmojis: 1n << 6n,
  manageEvents: 1n << 7n,
  manageThreads: 1n << 8n,
  manageNicknames: 1n << 9n,
  viewAuditLog: 1n << 10n,
  createInvites: 1n << 11n,
  kickMembers: 1n << 12n,
  banMembers: 1n << 13n,
  timeoutMembers: 1n << 14n,
  changeNickname: 1n << 15n,
  viewChannel: 1n << 16n,
  sendMessages: 1n << 17n,
  sendInThreads: 1n << 18n,
  createThreads: 1n << 19n,
  embedLinks: 1n << 20n,
  attachFiles: 1n << 21n,
  addReactions: 1n << 22n,
  useExternalEmojis: 1n << 23n,
  mentionEveryone: 1n << 24n,
  readHistory: 1n << 25n,
  pinMessages: 1n << 26n,
  connect: 1n << 32n,
  speak: 1n << 33n,
  video: 1n << 34n,
  shareScreen: 1n << 35n,
  useVoiceActivity: 1n << 36n,
  prioritySpeaker: 1n << 37n,
  muteMembers: 1n << 38n,
  deafenMembers: 1n << 39n,
  moveMembers: 1n << 40n,
} as const;

export type Permission = keyof typeof PERMISSIONS;

/** A set of permission bits. */
export type PermissionBits = bigint;

export const ALL_PERMISSIONS: PermissionBits = Object.values(PERMISSIONS).reduce((all, bit) => all | bit, 0n);

/** What everyone may do in a new server: talk and take part, manage nothing. */
export const DEFAULT_PERMISSIONS: PermissionBits =
  PERMISSIONS.createInvites |
  PERMISSIONS.changeNickname |
  PERMISSIONS.viewChannel |
  PERMISSIONS.sendMessages |
  PERMISSIONS.sendInThreads |
  PERMISSIONS.createThreads |
  PERMISSIONS.embedLinks |
  PERMISSIONS.attachFiles |
  PERMISSIONS.addReactions |
  PERMISSIONS.useExternalEmojis |
  PERMISSIONS.readHistory |
  PERMISSIONS.connect |
  PERMISSIONS.speak |
  PERMISSIONS.video |
  PERMISSIONS.shareScreen |
  PERMISSIONS.useVoiceActivity;

/** True when `bits` hold `permission`, or administrator, which holds them all. */
export function allows(bits: PermissionBits, permission: Permission): boolean {
  return (bits & (PERMISSIONS[permission] | PERMISSIONS.administrator)) !== 0n;
}

/** A set of permission bits on the wire: a decimal string that names no unknown bit. */
export const PermissionString = v.pipe(
  v.string(),
  v.maxLength(20),
  v.regex(/^(0|[1-9][0-9]*)$/, "permissions are a decimal string"),
  v.check((text) => (BigInt(text) & ~ALL_PERMISSIONS) === 0n, "unknown permission bits"),
);
export type PermissionString = v.InferOutput<typeof PermissionString>;
