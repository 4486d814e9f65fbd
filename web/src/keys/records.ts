/** What is kept, and under which keys (store/database.ts seals it). */
import { decodeRecord, encodeRecord } from "@lescopains/e2ee/session/record-codec";
import type { SessionRecord } from "@lescopains/e2ee/session/state";
import { decodeSenderKeyRecord, encodeSenderKeyRecord } from "@lescopains/e2ee/group/record";
import { retireSenderKey, type SenderKeyRecord } from "@lescopains/e2ee/group/sender-key";
import { wipeReplaced } from "@lescopains/e2ee/session/record";
import {
  decodeKyberPreKey,
  decodePreKey,
  decodeSignedPreKey,
  encodeKyberPreKey,
  encodePreKey,
  encodeSignedPreKey,
  type KyberPreKey,
  type PreKey,
  type SignedPreKey,
} from "@lescopains/e2ee/session/keys";
import { Ciphertext, DeviceCiphertext } from "@lescopains/protocol/ciphertext";
import { DeviceId, DeviceList, RegistrationId } from "@lescopains/protocol/device-list";
import { ErrorCode } from "@lescopains/protocol/errors";
import { ChannelId, Generation, MessageId, Seq, Timestamp, UserId } from "@lescopains/protocol/ids";
import { FailureReason, ListVersions, OutgoingEnvelope } from "@lescopains/protocol/keys";
import * as v from "valibot";
import { KeptContent } from "./content.ts";
import { DmContent } from "./dm-content.ts";
import { type Codec, jsonCodec } from "./store/codec.ts";

/** A device of a person. */
export interface Address {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

export function addressText({ userId, deviceId }: Address): string {
  return `${userId}/${deviceId}`;
}

export const KEY = {
  device: "device",
  /** 32 bytes of the private key, 33 of the public one. */
  identity: "identity",
  mailbox: "mailbox",
  vault: "vault",
  recoveryKey: "recovery-key",
  /** The key of a vault that the server was asked to put in the present one's place. */
  nextVault: "next/vault",
  /** What another browser gave, until this one has made it its own. */
  given: "given",
  /** A device of a new identity that the server has not agreed to yet. */
  next: { device: "next/device", identity: "next/identity", signed: "next/signed", kyber: "next/kyber" },
  /** 32 bytes that seal what the page writes down (sync/pad.ts). */
  pad: "pad",
  preKey: (id: number) => `prekey/${id}`,
  signed: (id: number) => `signed/${id}`,
  kyber: (id: number) => `kyber/${id}`,
  /** There is one of each Kyber key of last resort. */
  lastResort: (kyberId: number) => `bases/${kyberId}`,
  /** A session that began with it. */
  base: (kyberId: number, baseKey: string) => `base/${kyberId}/${baseKey}`,
  peer: (userId: UserId) => `peer/${userId}`,
  session: (address: Address) => `session/${addressText(address)}`,
  /** Our own sender key of a group. */
  own: (channelId: ChannelId) => `own/${channelId}`,
  /** Who has our sender key. */
  holders: (channelId: ChannelId) => `holders/${channelId}`,
  theirs: (channelId: ChannelId, address: Address) => `theirs/${channelId}/${addressText(address)}`,
  channel: (channelId: ChannelId) => `channel/${channelId}`,
  /** In order of writing. */
  outgoing: (n: number) => `outbox/${String(n).padStart(12, "0")}`,
  envelopes: (n: number) => `envelopes/${String(n).padStart(12, "0")}`,
  /** A message that could not be read, and is asked for. */
  heal: (channelId: ChannelId, seq: Seq) => `heal/${channelId}/${String(seq).padStart(12, "0")}`,
  /** Records of the vault that other devices wrote, and that the next one of this bucket stands for. */
  origins: (bucket: string) => `origins/${bucket}`,
  /** The deletion of a message that is not here yet. */
  early: (channelId: ChannelId, id: MessageId) => `early/${channelId}/${id}`,
  /** What the vault does not have yet. */
  dirty: (name: string) => `dirty/${name}`,
} as const;

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** This browser's device. `registering`: its keys are kept, the server may not have answered yet. */
export const DeviceRecord = v.object({
  status: v.picklist(["registering", "active", "revoked"]),
  deviceId: DeviceId,
  registrationId: RegistrationId,
  createdAtMs: v.number(),
  name: v.string(),
  nextPreKeyId: Count,
  nextSignedId: Count,
  nextKyberId: Count,
  signedId: Count,
  kyberId: Count,
  rotatedAtMs: v.number(),
  /** By the server's clock; null until it answered. */
  registeredAt: v.nullable(Timestamp),
  /** The identity was brought here: messages from before the device may be asked for. */
  restored: v.boolean(),
  /** Of the server's database when the device was settled there last; null: by a version that did not know of it. */
  generation: v.optional(v.nullable(Generation), null),
});
export type DeviceRecord = v.InferOutput<typeof DeviceRecord>;

/** `received`: the last envelope taken in. `nextOut`: the number of the next one to send, and of the next message. */
const Mailbox = v.object({ received: Count, nextOut: Count });

export const PeerRecord = v.object({
  userId: UserId,
  /** Base64; null: they have published nothing. */
  identityKey: v.nullable(v.string()),
  sinceMs: v.number(),
  trust: v.picklist(["trusted", "verified", "changed", "blocked"]),
  list: v.nullable(DeviceList),
  /** Identities that later ones took the place of: none of them comes back. */
  former: v.optional(v.array(v.string()), () => []),
});
export type PeerRecord = v.InferOutput<typeof PeerRecord>;

const NoticeRecord = v.object({
  id: v.string(),
  channelId: ChannelId,
  kind: v.literal("identity_changed"),
  userId: UserId,
  afterSeq: Seq,
  atMs: v.number(),
});

export const ChannelRecord = v.object({
  channelId: ChannelId,
  type: v.picklist(["dm", "group_dm"]),
  participants: v.array(UserId),
  /** One's own place in it is gone: nothing is sent or asked any more. */
  left: v.boolean(),
  /** Every event up to here was taken in. */
  seen: Seq,
  /** Up to here the server knows that this device has everything. */
  acknowledged: Seq,
  readSeq: Seq,
  unread: Count,
  readBy: v.record(UserId, Seq),
  notices: v.array(NoticeRecord),
});
export type ChannelRecord = v.InferOutput<typeof ChannelRecord>;

/** An event of a conversation, as this device has it. */
export const RowRecord = v.object({
  id: MessageId,
  changedSeq: Seq,
  authorId: v.nullable(UserId),
  senderDeviceId: v.nullable(DeviceId),
  nonce: v.string(),
  createdAt: Timestamp,
  /** By its author, inside the encryption. */
  deleted: v.boolean(),
  /** Null while it cannot be read. */
  content: v.nullable(KeptContent),
  failure: v.nullable(v.object({ reason: FailureReason, givenUp: v.boolean(), ciphertext: v.nullable(Ciphertext) })),
  /** The server says that it was removed. Nobody is believed in that but its author (`deleted`): it explains why nothing came. */
  removed: v.optional(v.boolean(), false),
  /** The last change by its author: changes may come in any order, the one with the highest `seq` holds. */
  edit: v.nullable(v.object({ text: v.string(), seq: Seq, at: Timestamp })),
  /** Every change by its author: their words go with the message's. */
  edits: v.optional(v.array(Seq), () => []),
  /** emoji → person → the event that put it (positive) or took it back (negative). */
  reactions: v.record(v.string(), v.record(UserId, v.number())),
  /** Of one's own: who it was for, and may have it again (`readersOf`). */
  to: v.array(v.string()),
});
export type RowRecord = v.InferOutput<typeof RowRecord>;

const Refusal = v.object({ code: v.string(), message: v.string(), server: v.optional(ErrorCode) });

/** What is written and not yet on the server. */
export const OutgoingRecord = v.object({
  n: Count,
  channelId: ChannelId,
  nonce: v.string(),
  content: DmContent,
  createdAtMs: v.number(),
  failure: v.nullable(Refusal),
  /** A deletion that stands in the conversation: the server is still to delete the ciphertexts. */
  placed: v.optional(v.boolean(), false),
  /** The very bytes that are sent, and sent again; null until they are made. */
  wire: v.nullable(
    v.union([
      v.object({ ciphertexts: v.array(DeviceCiphertext) }),
      v.object({ content: v.string(), listVersions: ListVersions }),
    ]),
  ),
  /** Whom `wire` is for (`readersOf`). */
  to: v.array(v.string()),
});
export type OutgoingRecord = v.InferOutput<typeof OutgoingRecord>;

const EnvelopesRecord = v.object({ n: Count, messages: v.array(OutgoingEnvelope) });

/** `tries`: how often it was asked for. */
export const HealRecord = v.object({
  channelId: ChannelId,
  seq: Seq,
  id: MessageId,
  authorId: UserId,
  deviceId: v.nullable(DeviceId),
  tries: Count,
  notBeforeMs: v.number(),
});
export type HealRecord = v.InferOutput<typeof HealRecord>;

/** `user/device/registration` of everyone who has the present sender key. */
const HoldersRecord = v.array(v.string());
/** Base keys that began with a Kyber key of last resort, as they were kept before each had a record of its own (`KEY.base`). */
const BasesRecord = v.array(v.string());

export const VaultRecord = v.object({
  confirmed: v.boolean(),
  passphrase: v.boolean(),
  /** The vault on the server is another one, which this browser's key does not open. The key stays until another one takes its place. */
  locked: v.optional(v.boolean(), false),
  savedAtMs: v.nullable(v.number()),
  /** This device's own part of the names of records. */
  tag: v.string(),
  /** Record → its version on the server. */
  versions: v.record(v.string(), Count),
});
export type VaultRecord = v.InferOutput<typeof VaultRecord>;

const Early = v.object({ authorId: UserId, seq: Seq });

const Origins = v.array(v.object({ name: v.string(), version: Count }));

const NextVault = v.object({ key: v.string(), passphrase: v.boolean() });

/** What a browser gives to a new one of its account. */
export const Given = v.object({ identity: v.string(), recoveryKey: v.nullable(v.string()) });
export type Given = v.InferOutput<typeof Given>;

export const codecs = {
  device: jsonCodec(DeviceRecord),
  mailbox: jsonCodec(Mailbox),
  peer: jsonCodec(PeerRecord),
  channel: jsonCodec(ChannelRecord),
  row: jsonCodec(RowRecord),
  outgoing: jsonCodec(OutgoingRecord),
  envelopes: jsonCodec(EnvelopesRecord),
  heal: jsonCodec(HealRecord),
  holders: jsonCodec(HoldersRecord),
  bases: jsonCodec(BasesRecord),
  vault: jsonCodec(VaultRecord),
  nextVault: jsonCodec(NextVault),
  origins: jsonCodec(Origins),
  early: jsonCodec(Early),
  given: jsonCodec(Given),
  count: jsonCodec(Count),
  session: { encode: encodeRecord, decode: decodeRecord, retire: wipeReplaced } as Codec<SessionRecord>,
  senderKey: {
    encode: encodeSenderKeyRecord,
    decode: decodeSenderKeyRecord,
    retire: retireSenderKey,
  } as Codec<SenderKeyRecord>,
  preKey: { encode: encodePreKey, decode: decodePreKey } as Codec<PreKey>,
  signed: { encode: encodeSignedPreKey, decode: decodeSignedPreKey } as Codec<SignedPreKey>,
  kyber: { encode: encodeKyberPreKey, decode: decodeKyberPreKey } as Codec<KyberPreKey>,
} as const;
