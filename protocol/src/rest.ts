import * as v from "valibot";
import {
  Ban,
  Channel,
  ChannelName,
  Color,
  Count,
  DirectChannel,
  DisplayName,
  Email,
  Invite,
  InviteCode,
  InvitePreview,
  LinkSecret,
  Member,
  Message,
  Overwrite,
  Password,
  PasswordLink,
  Role,
  RoleName,
  Self,
  Server,
  ServerName,
  Session,
  User,
  Username,
  text,
} from "./entities.ts";
import { Handoff, HandoffBody, HandoffFill, OpenedHandoff } from "./handoff.ts";
import { ChannelId, HandoffId, RoleId, Seq, ServerId, SessionId, UserId } from "./ids.ts";
import {
  Bundles,
  DeviceBody,
  DeviceListBody,
  DeviceNameBody,
  OwnDevices,
  PreKeyCounts,
  PreKeysBody,
  UserDevices,
} from "./keys.ts";
import { Instance } from "./instance.ts";
import { LIMITS, PERIODS } from "./limits.ts";
import { PermissionString } from "./permissions.ts";
import { VoiceJoinBody, VoiceJoined, VoiceMember, VoicePatch, VoiceRoster } from "./voice.ts";
import { Vault, VaultBody, VaultHeaders, VaultPage, VaultRecordBody, VaultRecordName } from "./vault.ts";

/** A whole number in a query string. */
export function queryNumber(min: number, max: number) {
  return v.pipe(
    v.string(),
    v.regex(/^[0-9]{1,16}$/),
    v.transform(Number),
    v.safeInteger(),
    v.minValue(min),
    v.maxValue(max),
  );
}

const Topic = text(LIMITS.topicMax);
const Reason = text(LIMITS.reasonMax);
const TotpCode = v.pipe(v.string(), v.regex(/^[0-9]{6}$/, "six digits"));
/** A code of the authenticator, or one of the recovery codes. */
const SecondFactor = v.pipe(
  v.string(),
  v.regex(/^([0-9]{6}|[a-z0-9]{5}-[a-z0-9]{5})$/, "six digits or a recovery code"),
);

/** A password as typed at sign-in: any text, since it is only compared. */
const PasswordAttempt = v.pipe(v.string(), v.maxLength(1_024), v.minLength(1));

export const RegisterBody = v.object({
  username: Username,
  password: Password,
  email: v.optional(Email),
  /** Where registration takes one: the code of an invite, or the secret of the first operator's link. */
  invite: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/))),
});
export type RegisterBody = v.InferOutput<typeof RegisterBody>;

export const LoginBody = v.object({
  username: v.pipe(v.string(), v.minLength(1), v.maxLength(LIMITS.emailMax)),
  password: PasswordAttempt,
  totp: v.optional(SecondFactor),
});
export type LoginBody = v.InferOutput<typeof LoginBody>;

/** `expiresIn` in seconds. The refresh token travels in a cookie only. */
export const SignedIn = v.object({ user: Self, accessToken: v.string(), expiresIn: Count });
export type SignedIn = v.InferOutput<typeof SignedIn>;

/** The secret of a link for a new password. */
export const PasswordLinkBody = v.object({ secret: LinkSecret });
export const PasswordLinkUse = v.object({ secret: LinkSecret, password: Password });
export type PasswordLinkUse = v.InferOutput<typeof PasswordLinkUse>;

export const TotpSetup = v.object({ secret: v.string(), uri: v.string() });
export const TotpEnableBody = v.object({ code: TotpCode });
export const TotpEnabled = v.object({ recoveryCodes: v.array(v.string()) });
export const TotpDisableBody = v.object({ password: PasswordAttempt, code: SecondFactor });

export const SelfPatch = v.object({
  displayName: v.optional(DisplayName),
  email: v.optional(v.nullable(Email)),
  /** A new password needs the present one, and ends all other sessions. */
  password: v.optional(Password),
  currentPassword: v.optional(PasswordAttempt),
});
export type SelfPatch = v.InferOutput<typeof SelfPatch>;
export const SelfDelete = v.object({ password: PasswordAttempt });

export const ServerCreate = v.object({ name: ServerName });
export const ServerPatch = v.object({ name: v.optional(ServerName), ownerId: v.optional(UserId) });
export type ServerPatch = v.InferOutput<typeof ServerPatch>;

export const ChannelCreate = v.object({
  name: ChannelName,
  type: v.optional(v.picklist(["text", "voice"]), "text"),
  topic: v.optional(v.nullable(Topic)),
  encrypted: v.optional(v.boolean(), false),
  parentId: v.optional(v.nullable(ChannelId)),
});
export type ChannelCreate = v.InferOutput<typeof ChannelCreate>;

/** Encryption is one-way: a channel can be made encrypted, never plain again. */
export const ChannelPatch = v.object({
  name: v.optional(ChannelName),
  topic: v.optional(v.nullable(Topic)),
  position: v.optional(v.pipe(Count, v.maxValue(10_000))),
  encrypted: v.optional(v.literal(true)),
});
export type ChannelPatch = v.InferOutput<typeof ChannelPatch>;

export const OverwriteBody = v.pipe(
  v.object({ type: v.picklist(["role", "member"]), allow: PermissionString, deny: PermissionString }),
  v.check(({ allow, deny }) => (BigInt(allow) & BigInt(deny)) === 0n, "a bit is allowed or denied, not both"),
);
export type OverwriteBody = v.InferOutput<typeof OverwriteBody>;

export const RoleCreate = v.object({
  name: RoleName,
  permissions: v.optional(PermissionString, "0"),
  color: v.optional(v.nullable(Color)),
});
export type RoleCreate = v.InferOutput<typeof RoleCreate>;
export const RolePatch = v.object({
  name: v.optional(RoleName),
  permissions: v.optional(PermissionString),
  color: v.optional(v.nullable(Color)),
  position: v.optional(v.pipe(Count, v.minValue(1), v.maxValue(LIMITS.rolesPerServer))),
});
export type RolePatch = v.InferOutput<typeof RolePatch>;

export const MemberPatch = v.object({ roleIds: v.pipe(v.array(RoleId), v.maxLength(LIMITS.rolesPerServer)) });
export type MemberPatch = v.InferOutput<typeof MemberPatch>;

export const BanBody = v.object({ reason: v.optional(Reason) });

export const InviteCreate = v.object({
  /** Absent or null: any number. */
  maxUses: v.optional(v.nullable(v.pipe(Count, v.minValue(1), v.maxValue(10_000)))),
  /** Seconds; absent: 7 days; null: never. */
  expiresIn: v.optional(v.nullable(v.pipe(Count, v.minValue(60), v.maxValue(PERIODS.inviteMaxMs / 1_000)))),
});
export type InviteCreate = v.InferOutput<typeof InviteCreate>;
export const JoinBody = v.object({ code: text(64) });

export const MembersQuery = v.object({
  /** Cursor: the last user id of the page before. */
  after: v.optional(UserId),
  limit: v.optional(queryNumber(1, LIMITS.membersPage), String(LIMITS.membersPage)),
});
export const MembersPage = v.object({ members: v.array(Member), next: v.nullable(UserId) });

/** At most one of `before` and `after`: exclusive `seq` cursors. */
export const HistoryQuery = v.pipe(
  v.object({
    before: v.optional(queryNumber(0, Number.MAX_SAFE_INTEGER)),
    after: v.optional(queryNumber(0, Number.MAX_SAFE_INTEGER)),
    limit: v.optional(queryNumber(1, LIMITS.historyPage), String(LIMITS.historyPageDefault)),
  }),
  v.check(({ before, after }) => before === undefined || after === undefined, "before or after, not both"),
);
export type HistoryQuery = v.InferOutput<typeof HistoryQuery>;

/** Newest first. `lastSeq` is where the channel stood. `hasMore`: further messages beyond the page, in its direction. */
export const HistoryPage = v.object({ messages: v.array(Message), hasMore: v.boolean(), lastSeq: Seq });
export type HistoryPage = v.InferOutput<typeof HistoryPage>;

/** The others: one makes a `dm`, which there is once for two people; more make a new `group_dm`. */
export const DmCreate = v.object({
  userIds: v.pipe(
    v.array(UserId),
    v.minLength(1),
    v.maxLength(LIMITS.dmPeople - 1),
    v.check((ids) => new Set(ids).size === ids.length, "each person once"),
  ),
});
export type DmCreate = v.InferOutput<typeof DmCreate>;

export const FriendLists = v.object({
  friends: v.array(User),
  /** Who asks this person. */
  incoming: v.array(User),
  /** Whom this person asks. */
  outgoing: v.array(User),
});
export type FriendLists = v.InferOutput<typeof FriendLists>;

const QueryDeviceId = queryNumber(1, 127);
/** Device ids separated by commas; absent: all. */
export const BundlesQuery = v.object({
  devices: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[0-9]{1,3}(,[0-9]{1,3}){0,5}$/, "device ids separated by commas"),
      v.transform((ids) => ids.split(",")),
      v.array(QueryDeviceId),
    ),
  ),
});
export const PreKeyCountQuery = v.object({ deviceId: QueryDeviceId });

export const VaultQuery = v.object({
  /** Cursor: `next` of the page before. */
  after: v.optional(VaultRecordName),
  limit: v.optional(queryNumber(1, LIMITS.vaultPage), String(LIMITS.vaultPage)),
});

type Schema = v.GenericSchema;

/** One line of the REST contract. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path with `:name` parameters; `params` gives each one's schema. */
  readonly path: string;
  readonly summary: string;
  /** `user`: a Bearer access token; `operator`: that of an operator; `cookie`: the refresh cookie; `none`: open. */
  readonly auth: "none" | "user" | "operator" | "cookie";
  readonly params?: v.ObjectSchema<v.ObjectEntries, undefined>;
  readonly query?: Schema;
  /** Headers of its own, by their names in lower case. */
  readonly headers?: v.ObjectSchema<v.ObjectEntries, undefined>;
  readonly body?: Schema;
  /** Most bytes of the body; absent: `LIMITS.bodyBytes`. */
  readonly bodyBytes?: number;
  readonly status: 200 | 201 | 204;
  /** Status of the same answer when what was to be made was there already. */
  readonly foundStatus?: 200;
  /** Body of the answer; absent with 204. */
  readonly answer?: Schema;
}

const server = v.object({ id: ServerId });
const member = v.object({ id: ServerId, userId: UserId });
const channel = v.object({ id: ChannelId });

/** The REST part of the contract, save what operators alone may ask (operator-rest.ts): name → route. */
export const REST = {
  getInstance: {
    method: "GET",
    path: "/api/instance",
    summary: "What this place is called, and who may make an account",
    auth: "none",
    status: 200,
    answer: Instance,
  },
  register: {
    method: "POST",
    path: "/api/auth/register",
    summary: "Make an account and sign in",
    auth: "none",
    body: RegisterBody,
    status: 201,
    answer: SignedIn,
  },
  login: {
    method: "POST",
    path: "/api/auth/login",
    summary: "Sign in",
    auth: "none",
    body: LoginBody,
    status: 200,
    answer: SignedIn,
  },
  refresh: {
    method: "POST",
    path: "/api/auth/refresh",
    summary: "Exchange the refresh cookie for a new one and an access token",
    auth: "cookie",
    status: 200,
    answer: SignedIn,
  },
  logout: { method: "POST", path: "/api/auth/logout", summary: "End this session", auth: "cookie", status: 204 },
  readPasswordLink: {
    method: "POST",
    path: "/api/auth/password-link",
    summary: "Whose new password a link sets",
    auth: "none",
    body: PasswordLinkBody,
    status: 200,
    answer: v.object({ username: v.string() }),
  },
  usePasswordLink: {
    method: "POST",
    path: "/api/auth/password-link/use",
    summary: "Set a new password by a link, which is used up, and end every session of the account",
    auth: "none",
    body: PasswordLinkUse,
    status: 204,
  },
  listSessions: {
    method: "GET",
    path: "/api/auth/sessions",
    summary: "Where the account is signed in",
    auth: "user",
    status: 200,
    answer: v.object({ sessions: v.array(Session), passwordLink: v.nullable(PasswordLink) }),
  },
  revokeSession: {
    method: "DELETE",
    path: "/api/auth/sessions/:id",
    summary: "End a session and its sockets",
    auth: "user",
    params: v.object({ id: SessionId }),
    status: 204,
  },
  totpSetup: {
    method: "POST",
    path: "/api/auth/totp/setup",
    summary: "Begin two-factor sign-in: a secret to scan",
    auth: "user",
    status: 200,
    answer: TotpSetup,
  },
  totpEnable: {
    method: "POST",
    path: "/api/auth/totp/enable",
    summary: "Prove the secret and receive recovery codes",
    auth: "user",
    body: TotpEnableBody,
    status: 200,
    answer: TotpEnabled,
  },
  totpDisable: {
    method: "POST",
    path: "/api/auth/totp/disable",
    summary: "End two-factor sign-in",
    auth: "user",
    body: TotpDisableBody,
    status: 204,
  },

  getSelf: { method: "GET", path: "/api/users/@me", summary: "The account", auth: "user", status: 200, answer: Self },
  patchSelf: {
    method: "PATCH",
    path: "/api/users/@me",
    summary: "Change the account",
    auth: "user",
    body: SelfPatch,
    status: 200,
    answer: Self,
  },
  deleteSelf: {
    method: "DELETE",
    path: "/api/users/@me",
    summary: "Delete the account; its messages stay without a name",
    auth: "user",
    body: SelfDelete,
    status: 204,
  },
  getUser: {
    method: "GET",
    path: "/api/users/:id",
    summary: "A person one shares a server with",
    auth: "user",
    params: v.object({ id: UserId }),
    status: 200,
    answer: User,
  },

  putDevice: {
    method: "PUT",
    path: "/api/keys/device",
    summary: "Register this session's device, bind it to this session, or change its keys",
    auth: "user",
    body: DeviceBody,
    status: 200,
    answer: OwnDevices,
  },
  listDevices: {
    method: "GET",
    path: "/api/keys/devices",
    summary: "The account's devices",
    auth: "user",
    status: 200,
    answer: OwnDevices,
  },
  renameDevice: {
    method: "PATCH",
    path: "/api/keys/devices/:deviceId",
    summary: "Another name for one of the account's devices",
    auth: "user",
    params: v.object({ deviceId: QueryDeviceId }),
    body: DeviceNameBody,
    status: 200,
    answer: OwnDevices,
  },
  putDevices: {
    method: "PUT",
    path: "/api/keys/devices",
    summary: "Publish a device list without some devices: they are revoked, and their sessions end",
    auth: "user",
    body: DeviceListBody,
    status: 200,
    answer: OwnDevices,
  },
  addPreKeys: {
    method: "POST",
    path: "/api/keys/prekeys",
    summary: "Further keys of this session's device",
    auth: "user",
    body: PreKeysBody,
    bodyBytes: LIMITS.preKeysBodyBytes,
    status: 200,
    answer: PreKeyCounts,
  },
  countPreKeys: {
    method: "GET",
    path: "/api/keys/prekeys/count",
    summary: "One-time keys of one of the account's devices that are left",
    auth: "user",
    query: PreKeyCountQuery,
    status: 200,
    answer: PreKeyCounts,
  },
  userDevices: {
    method: "GET",
    path: "/api/users/:id/devices",
    summary: "A person's device list; takes no key",
    auth: "user",
    params: v.object({ id: UserId }),
    status: 200,
    answer: UserDevices,
  },
  claimKeys: {
    method: "GET",
    path: "/api/users/:id/keys",
    summary: "Take one bundle for each of a person's devices",
    auth: "user",
    params: v.object({ id: UserId }),
    query: BundlesQuery,
    status: 200,
    answer: Bundles,
  },

  openHandoff: {
    method: "POST",
    path: "/api/keys/handoffs",
    summary: "Ask the account's other browsers for its identity",
    auth: "user",
    body: HandoffBody,
    status: 201,
    answer: OpenedHandoff,
  },
  fillHandoff: {
    method: "PUT",
    path: "/api/keys/handoffs/:id",
    summary: "Hand the identity over, sealed; once",
    auth: "user",
    params: v.object({ id: HandoffId }),
    body: HandoffFill,
    status: 204,
  },
  takeHandoff: {
    method: "GET",
    path: "/api/keys/handoffs/:id",
    summary: "Look at a handoff; the session that opened it takes what is there, once",
    auth: "user",
    params: v.object({ id: HandoffId }),
    status: 200,
    answer: Handoff,
  },

  getVault: {
    method: "GET",
    path: "/api/vault",
    summary: "What the recovery key is needed for to open the account's vault",
    auth: "user",
    status: 200,
    answer: Vault,
  },
  putVault: {
    method: "PUT",
    path: "/api/vault",
    summary: "Make the vault, seal its root anew, or replace it",
    auth: "user",
    body: VaultBody,
    status: 204,
  },
  listVaultRecords: {
    method: "GET",
    path: "/api/vault/records",
    summary: "Records of the vault, by name",
    auth: "user",
    headers: VaultHeaders,
    query: VaultQuery,
    status: 200,
    answer: VaultPage,
  },
  putVaultRecord: {
    method: "PUT",
    path: "/api/vault/records/:name",
    summary: "Write the next version of a record",
    auth: "user",
    headers: VaultHeaders,
    params: v.object({ name: VaultRecordName }),
    body: VaultRecordBody,
    bodyBytes: LIMITS.vaultRecordBodyBytes,
    status: 204,
  },

  listDms: {
    method: "GET",
    path: "/api/dms",
    summary: "Direct conversations",
    auth: "user",
    status: 200,
    answer: v.object({ channels: v.array(DirectChannel) }),
  },
  openDm: {
    method: "POST",
    path: "/api/dms",
    summary: "Open a direct conversation: 201, or 200 for one that was there",
    auth: "user",
    body: DmCreate,
    status: 201,
    foundStatus: 200,
    answer: DirectChannel,
  },
  addParticipant: {
    method: "PUT",
    path: "/api/dms/:id/participants/:userId",
    summary: "Add a person to a group",
    auth: "user",
    params: v.object({ id: ChannelId, userId: UserId }),
    status: 200,
    answer: DirectChannel,
  },
  removeParticipant: {
    method: "DELETE",
    path: "/api/dms/:id/participants/:userId",
    summary: "Leave a group (one's own id), or remove a person from a group one made",
    auth: "user",
    params: v.object({ id: ChannelId, userId: UserId }),
    status: 204,
  },

  listFriends: {
    method: "GET",
    path: "/api/friends",
    summary: "Friends, and who asks whom",
    auth: "user",
    status: 200,
    answer: FriendLists,
  },
  putFriend: {
    method: "PUT",
    path: "/api/friends/:userId",
    summary: "Ask a person for friendship, or accept: `friends` says whether both have",
    auth: "user",
    params: v.object({ userId: UserId }),
    status: 200,
    answer: v.object({ friends: v.boolean() }),
  },
  deleteFriend: {
    method: "DELETE",
    path: "/api/friends/:userId",
    summary: "End a friendship, refuse a request, or take it back",
    auth: "user",
    params: v.object({ userId: UserId }),
    status: 204,
  },
  listBlocks: {
    method: "GET",
    path: "/api/blocks",
    summary: "People whom one has blocked",
    auth: "user",
    status: 200,
    answer: v.object({ users: v.array(User) }),
  },
  putBlock: {
    method: "PUT",
    path: "/api/blocks/:userId",
    summary: "Block a person: neither writes to, rings or looks up the other",
    auth: "user",
    params: v.object({ userId: UserId }),
    status: 204,
  },
  deleteBlock: {
    method: "DELETE",
    path: "/api/blocks/:userId",
    summary: "Take a block back",
    auth: "user",
    params: v.object({ userId: UserId }),
    status: 204,
  },

  createServer: {
    method: "POST",
    path: "/api/servers",
    summary: "Make a server with one text channel",
    auth: "user",
    body: ServerCreate,
    status: 201,
    answer: Server,
  },
  getServer: {
    method: "GET",
    path: "/api/servers/:id",
    summary: "A server as its member sees it",
    auth: "user",
    params: server,
    status: 200,
    answer: Server,
  },
  patchServer: {
    method: "PATCH",
    path: "/api/servers/:id",
    summary: "Rename a server or hand it over",
    auth: "user",
    params: server,
    body: ServerPatch,
    status: 200,
    answer: Server,
  },
  deleteServer: {
    method: "DELETE",
    path: "/api/servers/:id",
    summary: "Delete a server (owner)",
    auth: "user",
    params: server,
    status: 204,
  },
  createInvite: {
    method: "POST",
    path: "/api/servers/:id/invites",
    summary: "Make an invite",
    auth: "user",
    params: server,
    body: InviteCreate,
    status: 201,
    answer: Invite,
  },
  listInvites: {
    method: "GET",
    path: "/api/servers/:id/invites",
    summary: "Invites of a server",
    auth: "user",
    params: server,
    status: 200,
    answer: v.object({ invites: v.array(Invite) }),
  },
  joinServer: {
    method: "POST",
    path: "/api/servers/:id/join",
    summary: "Join with an invite's code",
    auth: "user",
    params: server,
    body: JoinBody,
    status: 200,
    answer: Server,
  },
  getInvite: {
    method: "GET",
    path: "/api/invites/:code",
    summary: "What an invite leads to",
    auth: "user",
    params: v.object({ code: InviteCode }),
    status: 200,
    answer: InvitePreview,
  },
  joinInvite: {
    method: "POST",
    path: "/api/invites/:code/join",
    summary: "Join the server of an invite",
    auth: "user",
    params: v.object({ code: InviteCode }),
    status: 200,
    answer: Server,
  },
  revokeInvite: {
    method: "DELETE",
    path: "/api/invites/:code",
    summary: "End an invite",
    auth: "user",
    params: v.object({ code: InviteCode }),
    status: 204,
  },
  listMembers: {
    method: "GET",
    path: "/api/servers/:id/members",
    summary: "Members with presence, by user id",
    auth: "user",
    params: server,
    query: MembersQuery,
    status: 200,
    answer: MembersPage,
  },
  patchMember: {
    method: "PATCH",
    path: "/api/servers/:id/members/:userId",
    summary: "Set a member's roles",
    auth: "user",
    params: member,
    body: MemberPatch,
    status: 200,
    answer: Member,
  },
  removeMember: {
    method: "DELETE",
    path: "/api/servers/:id/members/:userId",
    summary: "Kick a member, or leave (one's own id)",
    auth: "user",
    params: member,
    status: 204,
  },
  listBans: {
    method: "GET",
    path: "/api/servers/:id/bans",
    summary: "Who may not come back",
    auth: "user",
    params: server,
    status: 200,
    answer: v.object({ bans: v.array(Ban) }),
  },
  ban: {
    method: "PUT",
    path: "/api/servers/:id/bans/:userId",
    summary: "Remove a person for good",
    auth: "user",
    params: member,
    body: BanBody,
    status: 204,
  },
  unban: {
    method: "DELETE",
    path: "/api/servers/:id/bans/:userId",
    summary: "Let a person come back",
    auth: "user",
    params: member,
    status: 204,
  },
  createRole: {
    method: "POST",
    path: "/api/servers/:id/roles",
    summary: "Make a role",
    auth: "user",
    params: server,
    body: RoleCreate,
    status: 201,
    answer: Role,
  },
  patchRole: {
    method: "PATCH",
    path: "/api/servers/:id/roles/:roleId",
    summary: "Change a role",
    auth: "user",
    params: v.object({ id: ServerId, roleId: RoleId }),
    body: RolePatch,
    status: 200,
    answer: Role,
  },
  deleteRole: {
    method: "DELETE",
    path: "/api/servers/:id/roles/:roleId",
    summary: "Delete a role",
    auth: "user",
    params: v.object({ id: ServerId, roleId: RoleId }),
    status: 204,
  },
  createChannel: {
    method: "POST",
    path: "/api/servers/:id/channels",
    summary: "Make a channel",
    auth: "user",
    params: server,
    body: ChannelCreate,
    status: 201,
    answer: Channel,
  },

  patchChannel: {
    method: "PATCH",
    path: "/api/channels/:id",
    summary: "Change a channel",
    auth: "user",
    params: channel,
    body: ChannelPatch,
    status: 200,
    answer: Channel,
  },
  deleteChannel: {
    method: "DELETE",
    path: "/api/channels/:id",
    summary: "Delete a channel and its messages",
    auth: "user",
    params: channel,
    status: 204,
  },
  listMessages: {
    method: "GET",
    path: "/api/channels/:id/messages",
    summary: "History, newest first",
    auth: "user",
    params: channel,
    query: HistoryQuery,
    status: 200,
    answer: HistoryPage,
  },
  putOverwrite: {
    method: "PUT",
    path: "/api/channels/:id/overwrites/:targetId",
    summary: "Change a role's or a member's permissions in a channel",
    auth: "user",
    params: v.object({ id: ChannelId, targetId: v.union([RoleId, UserId]) }),
    body: OverwriteBody,
    status: 200,
    answer: Overwrite,
  },
  deleteOverwrite: {
    method: "DELETE",
    path: "/api/channels/:id/overwrites/:targetId",
    summary: "Remove such a change",
    auth: "user",
    params: v.object({ id: ChannelId, targetId: v.union([RoleId, UserId]) }),
    status: 204,
  },

  joinVoice: {
    method: "POST",
    path: "/api/voice/join",
    summary: "Take a place in a voice channel or a call, and get a token for the node that carries it",
    auth: "user",
    body: VoiceJoinBody,
    status: 200,
    answer: VoiceJoined,
  },
  getVoice: {
    method: "GET",
    path: "/api/channels/:id/voice",
    summary: "Who is in a voice channel or a call",
    auth: "user",
    params: channel,
    status: 200,
    answer: VoiceRoster,
  },
  patchVoiceMember: {
    method: "PATCH",
    path: "/api/channels/:id/voice/:userId",
    summary: "Mute, deafen or move someone in a voice channel",
    auth: "user",
    params: v.object({ id: ChannelId, userId: UserId }),
    body: VoicePatch,
    status: 200,
    answer: VoiceMember,
  },
  removeVoiceMember: {
    method: "DELETE",
    path: "/api/channels/:id/voice/:userId",
    summary: "Disconnect someone from a voice channel",
    auth: "user",
    params: v.object({ id: ChannelId, userId: UserId }),
    status: 204,
  },
} as const satisfies Record<string, Route>;
