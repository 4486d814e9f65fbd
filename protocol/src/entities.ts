import * as v from "valibot";
import { Ciphertext } from "./ciphertext.ts";
import { DeviceId } from "./device-list.ts";
import { ChannelId, MessageId, RoleId, Seq, ServerId, SessionId, Timestamp, UserId } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { PermissionString } from "./permissions.ts";

/** Text a person typed for a name: trimmed, not empty, no control or bidirectional-override characters. */
export function label(maxLength: number) {
  return v.pipe(
    v.string(),
    v.trim(),
    v.minLength(1),
    v.maxLength(maxLength),
    v.regex(/^[^\p{Cc}\p{Cs}\p{Bidi_Control}]+$/u, "no control characters"),
  );
}

/** Free text without NUL (PostgreSQL stores none) and without lone surrogates (UTF-8 has none). */
export function text(maxLength: number) {
  return v.pipe(
    v.string(),
    v.maxLength(maxLength),
    v.check((value) => !value.includes("\u0000") && value.isWellFormed(), "no NUL and no lone surrogates"),
  );
}

/** Case is kept for display; uniqueness ignores it. */
export const Username = v.pipe(
  v.string(),
  v.minLength(LIMITS.usernameMin),
  v.maxLength(LIMITS.usernameMax),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "letters a-z, digits, dot, dash and underscore"),
);

export const Password = v.pipe(
  v.string(),
  v.minLength(LIMITS.passwordMin),
  v.maxBytes(LIMITS.passwordBytesMax),
  v.check((value) => !value.includes("\u0000") && value.isWellFormed(), "no NUL and no lone surrogates"),
);

export const DisplayName = label(LIMITS.displayNameMax);
export const ServerName = label(LIMITS.serverNameMax);
export const ChannelName = label(LIMITS.channelNameMax);
export const RoleName = label(LIMITS.roleNameMax);
export const Email = v.pipe(v.string(), v.maxLength(LIMITS.emailMax), v.email());
export const InviteCode = v.pipe(v.string(), v.length(LIMITS.inviteCodeLength), v.regex(/^[A-Za-z0-9]+$/));
/** The secret of a link that works once (it makes the first operator, or sets a password): 32 random bytes, base64url. */
export const LinkSecret = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/));
/** A colour as 0xRRGGBB. */
export const Color = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xff_ff_ff));
export const Count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** What other people see of an account. */
export const User = v.object({ id: UserId, username: v.string(), displayName: v.string() });
export type User = v.InferOutput<typeof User>;

/** What a person sees of their own account. */
export const Self = v.object({
  ...User.entries,
  email: v.nullable(v.string()),
  totpEnabled: v.boolean(),
  /** Whether the account runs the instance. */
  operator: v.boolean(),
  createdAt: Timestamp,
});
export type Self = v.InferOutput<typeof Self>;

/** One signed-in browser or program. */
export const Session = v.object({
  id: SessionId,
  name: v.string(),
  createdAt: Timestamp,
  lastUsedAt: Timestamp,
  current: v.boolean(),
});
export type Session = v.InferOutput<typeof Session>;

/** The last link for a new password that was made for the account, by an operator or from the machine. */
export const PasswordLink = v.object({
  madeAt: Timestamp,
  /** Null: it was not used. */
  usedAt: v.nullable(Timestamp),
});
export type PasswordLink = v.InferOutput<typeof PasswordLink>;

/** What a client may set; `invisible` shows to others as `offline`. */
export const StatusChoice = v.picklist(["online", "idle", "dnd", "invisible"]);
export type StatusChoice = v.InferOutput<typeof StatusChoice>;

export const Status = v.picklist(["online", "idle", "dnd", "offline"]);
export type Status = v.InferOutput<typeof Status>;

export const CustomStatus = label(LIMITS.customStatusMax);

export const Presence = v.object({
  userId: UserId,
  status: Status,
  customStatus: v.optional(v.string()),
  /** To those who may view it: the voice channel that the person has come to; null: they have left it. Absent: nothing new of that. */
  inVoiceChannel: v.optional(v.nullable(ChannelId)),
});
export type Presence = v.InferOutput<typeof Presence>;

export const Role = v.object({
  id: RoleId,
  serverId: ServerId,
  name: v.string(),
  permissions: PermissionString,
  color: v.nullable(Color),
  /** 0 is the default role; a higher position outranks a lower one. */
  position: Count,
  isDefault: v.boolean(),
});
export type Role = v.InferOutput<typeof Role>;

/** What a channel changes of a role's or a person's permissions: deny first, then allow. */
export const Overwrite = v.object({
  targetId: v.union([RoleId, UserId]),
  targetType: v.picklist(["role", "member"]),
  allow: PermissionString,
  deny: PermissionString,
});
export type Overwrite = v.InferOutput<typeof Overwrite>;

export const ChannelType = v.picklist(["text", "voice", "dm", "group_dm"]);
export type ChannelType = v.InferOutput<typeof ChannelType>;

export const Channel = v.object({
  id: ChannelId,
  serverId: v.nullable(ServerId),
  name: v.string(),
  type: ChannelType,
  topic: v.nullable(v.string()),
  position: Count,
  parentId: v.nullable(ChannelId),
  encrypted: v.boolean(),
  createdAt: Timestamp,
  overwrites: v.array(Overwrite),
  /** The reader's own effective permissions here. */
  permissions: PermissionString,
  /** Last event of the channel when this was read; it moves on with each event. */
  lastSeq: Seq,
  /** The event that made the newest message: whoever has read up to here has read everything. */
  messageSeq: Seq,
  /** Last event that the reader marked as read. */
  readSeq: Seq,
});
export type Channel = v.InferOutput<typeof Channel>;

/** A conversation of two (`dm`) or more people (`group_dm`), always encrypted. */
export const DirectChannel = v.object({
  ...Channel.entries,
  serverId: v.null(),
  type: v.picklist(["dm", "group_dm"]),
  encrypted: v.literal(true),
  /** Who made it, and may remove people from a group; null when they left or their account is gone. */
  ownerId: v.nullable(UserId),
  /** Everyone in it, the reader included, by id. */
  participants: v.array(User),
});
export type DirectChannel = v.InferOutput<typeof DirectChannel>;

/** A server as one member sees it: the channels they may view, and their own permissions. */
export const Server = v.object({
  id: ServerId,
  name: v.string(),
  iconUrl: v.nullable(v.string()),
  ownerId: UserId,
  encrypted: v.boolean(),
  createdAt: Timestamp,
  memberCount: Count,
  /** The reader's own permissions in the server at large. */
  permissions: PermissionString,
  channels: v.array(Channel),
  roles: v.array(Role),
});
export type Server = v.InferOutput<typeof Server>;

export const Member = v.object({
  user: User,
  roleIds: v.array(RoleId),
  joinedAt: Timestamp,
  status: Status,
  customStatus: v.optional(v.string()),
});
export type Member = v.InferOutput<typeof Member>;

export const Ban = v.object({ user: User, reason: v.nullable(v.string()), createdAt: Timestamp });
export type Ban = v.InferOutput<typeof Ban>;

export const Invite = v.object({
  code: v.string(),
  serverId: ServerId,
  createdBy: v.nullable(UserId),
  createdAt: Timestamp,
  /** Null: never. */
  expiresAt: v.nullable(Timestamp),
  /** Null: any number. */
  maxUses: v.nullable(Count),
  uses: Count,
});
export type Invite = v.InferOutput<typeof Invite>;

/** What someone who holds a code may see before they join. */
export const InvitePreview = v.object({
  code: v.string(),
  server: v.object({ id: ServerId, name: v.string(), iconUrl: v.nullable(v.string()), memberCount: Count }),
  expiresAt: v.nullable(Timestamp),
});
export type InvitePreview = v.InferOutput<typeof InvitePreview>;

export const ContentType = v.picklist(["text", "image", "file"]);
export type ContentType = v.InferOutput<typeof ContentType>;

/** Mentions and attachments: a JSON object, bounded once serialised. */
export const Metadata = v.pipe(
  v.record(v.pipe(v.string(), v.maxLength(64)), v.unknown()),
  v.check((value) => !Array.isArray(value), "metadata is an object"),
  v.check((value) => {
    const json = JSON.stringify(value);
    return json.length <= LIMITS.metadataLength && !json.includes("\\u0000") && !/\\ud[89a-f]/i.test(json);
  }, "metadata is too large or not storable"),
);

/** One glyph as Unicode's UTS #51 builds them: a flag, a keycap, or pictographs joined to one. */
const PICTOGRAPH = String.raw`\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier}|[\u{E0020}-\u{E007E}]+\u{E007F})?`;
const EMOJI = String.raw`\p{Regional_Indicator}{2}|[0-9#*]\uFE0F?\u20E3|${PICTOGRAPH}(?:\u200D${PICTOGRAPH})*`;
export const Emoji = v.pipe(
  v.string(),
  v.maxLength(LIMITS.emojiLength),
  v.regex(new RegExp(`^(?:${EMOJI})$`, "u"), "one emoji"),
);

/** Who reacted to a message with an emoji, in the order in which they did. */
export const Reaction = v.object({ emoji: Emoji, userIds: v.array(UserId) });
export type Reaction = v.InferOutput<typeof Reaction>;

/**
 * A message as it stands now. `seq` is the event that made it, `changedSeq` the last event that touched it
 * (the same number until it is edited, reacted to or deleted).
 */
export const Message = v.object({
  id: MessageId,
  channelId: ChannelId,
  seq: Seq,
  changedSeq: Seq,
  /** Null when the account is gone. */
  authorId: v.nullable(UserId),
  /** Empty when deleted; opaque to the server when encrypted. */
  content: v.string(),
  contentType: ContentType,
  encrypted: v.boolean(),
  metadata: v.nullable(v.record(v.string(), v.unknown())),
  nonce: v.string(),
  replyTo: v.nullable(MessageId),
  threadId: v.nullable(MessageId),
  createdAt: Timestamp,
  editedAt: v.nullable(Timestamp),
  deleted: v.boolean(),
  /** Each emoji once, in the order in which they came. Empty in direct messages, whose reactions travel inside the encryption. */
  reactions: v.array(Reaction),
  /** In direct messages only: the device that sent it. */
  senderDeviceId: v.optional(DeviceId),
  /** In direct messages only: what is here for the reader's own device; null when there is nothing (any more). */
  ciphertext: v.optional(v.nullable(Ciphertext)),
});
export type Message = v.InferOutput<typeof Message>;
