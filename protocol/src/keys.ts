import * as v from "valibot";
import { base64, CiphertextBody, CiphertextType } from "./ciphertext.ts";
import { DeviceId, DeviceList, ListVersion, RegistrationId } from "./device-list.ts";
import { label } from "./entities.ts";
import { Generation, SessionId, Timestamp, UserId } from "./ids.ts";
import { LIMITS } from "./limits.ts";

/** 0x05 ‖ 32 bytes: a Curve25519 public key. */
export const EcPublicKey = v.pipe(base64(33, 33), v.regex(/^B[Q-Za-f]/, "a key of type 5"));
/** 0x08 ‖ 1,568 bytes: a Kyber1024 public key. */
export const KyberPublicKey = v.pipe(base64(1_569, 1_569), v.regex(/^C[A-P]/, "a key of type 8"));
/** XEdDSA by an account's identity key; over a prekey it covers the whole key, type byte included. */
export const Signature = base64(64, 64);

/** Signal counts to 24 bits; any positive 32-bit number is taken. A device uses an id for a key once and never again. */
const KeyId = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2_147_483_647));

/** A one-time key: it is handed out once. */
export const PreKey = v.object({ keyId: KeyId, publicKey: EcPublicKey });
export type PreKey = v.InferOutput<typeof PreKey>;
export const SignedPreKey = v.object({ keyId: KeyId, publicKey: EcPublicKey, signature: Signature });
export type SignedPreKey = v.InferOutput<typeof SignedPreKey>;
export const KyberPreKey = v.object({ keyId: KeyId, publicKey: KyberPublicKey, signature: Signature });
export type KyberPreKey = v.InferOutput<typeof KyberPreKey>;

export const DeviceName = label(LIMITS.deviceNameMax);

/** What an account has published about itself: everyone who may write to it checks the signature with the identity key. */
export const PublishedDevices = v.object({
  identityKey: EcPublicKey,
  deviceList: DeviceList,
  deviceListSignature: Signature,
});
export type PublishedDevices = v.InferOutput<typeof PublishedDevices>;

/**
 * Registers the device of this sign-in session, binds it to this session, or changes its keys. `deviceList` is the present list
 * (same version: nothing changes in it) or the next one (version + 1), which adds this device or lists it with another registration id.
 */
export const DeviceBody = v.object({
  deviceId: DeviceId,
  registrationId: RegistrationId,
  identityKey: EcPublicKey,
  signedPreKey: SignedPreKey,
  /** The last resort: handed out when there is no one-time Kyber key left. */
  kyberPreKey: KyberPreKey,
  name: DeviceName,
  deviceList: DeviceList,
  deviceListSignature: Signature,
  /** By the identity key, over this session and this device (`deviceBindingBytes`). */
  bindingSignature: Signature,
  /** Confirms that another identity key takes the place of the stored one: every other device goes, and people are told. */
  reset: v.optional(v.object({ password: v.pipe(v.string(), v.minLength(1), v.maxLength(1_024)) })),
});
export type DeviceBody = v.InferOutput<typeof DeviceBody>;

export const DeviceNameBody = v.object({ name: DeviceName });
export type DeviceNameBody = v.InferOutput<typeof DeviceNameBody>;

/** A list without some devices: they are revoked. */
export const DeviceListBody = v.object({ deviceList: DeviceList, deviceListSignature: Signature });
export type DeviceListBody = v.InferOutput<typeof DeviceListBody>;

/** A device as its own account sees it. */
export const OwnDevice = v.object({
  deviceId: DeviceId,
  registrationId: RegistrationId,
  name: v.string(),
  createdAt: Timestamp,
  /** To the hour. */
  lastSeenAt: Timestamp,
  /** The device of the session that asks. */
  current: v.boolean(),
});
export type OwnDevice = v.InferOutput<typeof OwnDevice>;
/**
 * `published` is null until the account's first device is registered; `sessionId` is the session that asks; `generation` as in `ready`: after
 * a restore the list may be an earlier one than a device knows.
 */
export const OwnDevices = v.object({
  sessionId: SessionId,
  generation: Generation,
  published: v.nullable(PublishedDevices),
  devices: v.array(OwnDevice),
});
export type OwnDevices = v.InferOutput<typeof OwnDevices>;
export const UserDevices = v.object({ userId: UserId, published: v.nullable(PublishedDevices) });
export type UserDevices = v.InferOutput<typeof UserDevices>;

/** Further keys of the device of this session; a signed prekey or a last-resort key of a higher id takes the place of the one before. */
export const PreKeysBody = v.object({
  deviceId: DeviceId,
  preKeys: v.optional(v.pipe(v.array(PreKey), v.maxLength(LIMITS.preKeysUpload)), () => []),
  kyberPreKeys: v.optional(v.pipe(v.array(KyberPreKey), v.maxLength(LIMITS.preKeysUpload)), () => []),
  signedPreKey: v.optional(SignedPreKey),
  kyberPreKey: v.optional(KyberPreKey),
});
export type PreKeysBody = v.InferOutput<typeof PreKeysBody>;

const Remaining = v.pipe(v.number(), v.integer(), v.minValue(0));
/** One-time keys that are still there to be handed out. */
export const PreKeyCounts = v.object({ preKeys: Remaining, kyberPreKeys: Remaining });
export type PreKeyCounts = v.InferOutput<typeof PreKeyCounts>;

/** What starts a session with one device (PQXDH). */
export const Bundle = v.object({
  deviceId: DeviceId,
  registrationId: RegistrationId,
  signedPreKey: SignedPreKey,
  /** A one-time key, or the last-resort key of a device that has none left. */
  kyberPreKey: KyberPreKey,
  /** Null when the device has no one-time key left. */
  preKey: v.nullable(PreKey),
});
export type Bundle = v.InferOutput<typeof Bundle>;
/** A bundle for each device that was asked for and is on the list. */
export const Bundles = v.object({
  userId: UserId,
  published: v.nullable(PublishedDevices),
  bundles: v.array(Bundle),
});
export type Bundles = v.InferOutput<typeof Bundles>;

export const DeviceAddress = v.object({ userId: UserId, deviceId: DeviceId });
export type DeviceAddress = v.InferOutput<typeof DeviceAddress>;
export const ListVersions = v.record(UserId, ListVersion);
export type ListVersions = v.InferOutput<typeof ListVersions>;

/** `details` of `devices_changed`: who gets no ciphertext and should, who gets one and should not, and every list's present version. */
export const DevicesChanged = v.object({
  missing: v.array(DeviceAddress),
  extra: v.array(DeviceAddress),
  versions: ListVersions,
});
export type DevicesChanged = v.InferOutput<typeof DevicesChanged>;

/** Number of an envelope: later ones to the same device have higher ones, not always the next. */
export const EnvelopeId = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** An opaque message from device to device. */
export const OutgoingEnvelope = v.object({
  toUserId: UserId,
  toDeviceId: DeviceId,
  type: CiphertextType,
  body: CiphertextBody,
});
export const Envelope = v.object({
  id: EnvelopeId,
  fromUserId: UserId,
  fromDeviceId: DeviceId,
  type: CiphertextType,
  body: CiphertextBody,
  createdAt: Timestamp,
});
export type Envelope = v.InferOutput<typeof Envelope>;

/** Why something could not be decrypted, for the share of failures in `/metrics`. */
export const FailureReason = v.picklist([
  "no_ciphertext",
  "no_session",
  "no_sender_key",
  "invalid_message",
  "invalid_key",
  "untrusted_identity",
  "duplicate",
  "other",
]);
export type FailureReason = v.InferOutput<typeof FailureReason>;
