import type { PreKeyBundle } from "@lescopains/e2ee/session/bundle";
import { sessionStatus } from "@lescopains/e2ee/session/record";
import { type Conversation, decrypt, encrypt, startSession } from "@lescopains/e2ee/session/session";
import { ProtocolError } from "@lescopains/e2ee/errors";
import type { Ciphertext } from "@lescopains/protocol/ciphertext";
import type { DeviceId } from "@lescopains/protocol/device-list";
import type { UserId } from "@lescopains/protocol/ids";
import type { Bundle } from "@lescopains/protocol/keys";
import { fromBase64, toBase64 } from "./base64.ts";
import { type Identity, splitIdentity } from "./identity.ts";
import { type Kit, refusal } from "./kit.ts";
import { learnDevices, readPeer } from "./peers.ts";
import { type Address, codecs, type DeviceRecord, KEY, type PeerRecord } from "./records.ts";
import { bytesCodec } from "./store/codec.ts";
import type { Unit } from "./store/store.ts";

/** This device, as long as it may speak. */
export interface OwnDevice extends DeviceRecord {
  readonly identity: Identity;
}

/** @throws KeysError `not_ready` without a device. */
export async function ownDevice(unit: Unit): Promise<OwnDevice> {
  const device = await unit.get(KEY.device, codecs.device);
  const bytes = await unit.get(KEY.identity, bytesCodec);
  if (device?.status !== "active" || bytes === undefined) {
    throw refusal("not_ready", "this browser has no device");
  }
  return { ...device, identity: splitIdentity(bytes) };
}

async function conversationWith(kit: Kit, unit: Unit, own: OwnDevice, remote: Address): Promise<Conversation> {
  const known = remote.userId === kit.selfId ? own.identity.publicKey : await trustedIdentity(unit, remote.userId);
  return {
    platform: kit.platform,
    local: {
      identity: own.identity,
      registrationId: own.registrationId,
      address: { accountId: kit.selfId, deviceId: own.deviceId },
    },
    remote: { accountId: remote.userId, deviceId: remote.deviceId },
    trustedIdentity: known,
  };
}

async function trustedIdentity(unit: Unit, userId: UserId): Promise<Uint8Array> {
  const identityKey = (await readPeer(unit, userId))?.identityKey;
  if (typeof identityKey !== "string") {
    throw new ProtocolError("untrusted_identity", "Nothing is known of this account.");
  }
  return fromBase64(identityKey);
}

/** Those of `devices` with whom nothing can be written yet. */
export async function withoutSession(
  kit: Kit,
  unit: Unit,
  devices: readonly (Address & { readonly registrationId: number })[],
): Promise<Address[]> {
  const missing: Address[] = [];
  for (const device of devices) {
    const record = await unit.get(KEY.session(device), codecs.session);
    const status = sessionStatus(record, kit.clock.now());
    const other = record?.current?.remoteRegistrationId !== device.registrationId;
    if (status === "none" || status === "expired" || other) missing.push(device);
  }
  return missing;
}

/** Claims a bundle for each of these devices, and begins a session with it. Devices that are gone are left out. */
export async function beginSessions(kit: Kit, devices: readonly Address[], anew = false): Promise<void> {
  const byUser = Map.groupBy(devices, ({ userId }) => userId);
  const claims = await Promise.all(
    [...byUser].map(async ([userId, wanted]) => {
      const ids = wanted.map(({ deviceId }) => deviceId).join(",");
      return await kit.server.call("claimKeys", { params: { id: userId }, query: { devices: ids } });
    }),
  );
  await kit.store.exclusive(async (unit) => {
    const own = await ownDevice(unit);
    for (const { userId, published, bundles } of claims) {
      const peer = await learnDevices(kit, unit, userId, published);
      for (const bundle of bundles) await begin(kit, unit, own, { userId, peer, bundle, anew });
    }
    await unit.commit();
  });
}

interface Beginning {
  readonly userId: UserId;
  /** What is known of them, which may be later than what came with the bundle. */
  readonly peer: PeerRecord | undefined;
  readonly bundle: Bundle;
  /** Also when there is a session that could be written with. */
  readonly anew: boolean;
}

async function begin(kit: Kit, unit: Unit, own: OwnDevice, { userId, peer, bundle, anew }: Beginning): Promise<void> {
  const address = { userId, deviceId: bundle.deviceId };
  const [missing] = await withoutSession(kit, unit, [{ ...address, registrationId: bundle.registrationId }]);
  if (missing === undefined && !anew) return;
  const listed = peer?.list?.devices.find(({ deviceId }) => deviceId === bundle.deviceId);
  // Only devices that the account has signed, and only as the ones that it has signed.
  if (peer?.identityKey == null || listed?.registrationId !== bundle.registrationId) return;
  const conversation = await conversationWith(kit, unit, own, address);
  const record = await unit.get(KEY.session(address), codecs.session);
  const made = await startSession(conversation, record, bundleOf(peer.identityKey, bundle), kit.clock.now());
  unit.put(KEY.session(address), codecs.session, made);
}

function bundleOf(identityKey: string, bundle: Bundle): PreKeyBundle {
  const { registrationId, signedPreKey, kyberPreKey, preKey } = bundle;
  const signed = (key: Bundle["signedPreKey"]) => ({
    id: key.keyId,
    publicKey: fromBase64(key.publicKey),
    signature: fromBase64(key.signature),
  });
  return {
    registrationId,
    identityKey: fromBase64(identityKey),
    signedPreKey: signed(signedPreKey),
    kyberPreKey: signed(kyberPreKey),
    preKey: preKey === null ? undefined : { id: preKey.keyId, publicKey: fromBase64(preKey.publicKey) },
  };
}

/** Encrypts for one device. The unit must be committed before the answer leaves. */
export async function encryptFor(
  kit: Kit,
  unit: Unit,
  own: OwnDevice,
  remote: Address,
  plaintext: Uint8Array,
): Promise<Ciphertext> {
  const key = KEY.session(remote);
  const conversation = await conversationWith(kit, unit, own, remote);
  const done = await encrypt(conversation, await unit.get(key, codecs.session), plaintext, kit.clock.now());
  unit.put(key, codecs.session, done.record);
  return { type: done.message.type, body: toBase64(done.message.body) };
}

/**
 * Decrypts what one device sent. The unit must be committed before anything of it is shown.
 *
 * @throws ProtocolError; nothing has changed in the unit then.
 */
export async function decryptFrom(
  kit: Kit,
  unit: Unit,
  own: OwnDevice,
  remote: { readonly userId: UserId; readonly deviceId: DeviceId },
  { type, body }: Ciphertext,
): Promise<Uint8Array> {
  const key = KEY.session(remote);
  const conversation = await conversationWith(kit, unit, own, remote);
  const record = await unit.get(key, codecs.session);
  const done = await decrypt(
    conversation,
    record,
    { type, body: fromBase64(body) },
    {
      preKey: async (id) => (await unit.get(KEY.preKey(id), codecs.preKey))?.keyPair,
      signedPreKey: async (id) => (await unit.get(KEY.signed(id), codecs.signed))?.keyPair,
      kyberPreKey: async (id) => (await unit.get(KEY.kyber(id), codecs.kyber))?.keyPair,
    },
  );
  const used = done.usedPreKeys;
  if (used !== undefined) {
    await useUp(unit, used.kyberPreKeyId, toBase64(used.baseKey));
    if (used.preKeyId !== undefined) unit.drop(KEY.preKey(used.preKeyId));
  }
  unit.put(key, codecs.session, done.record);
  return done.plaintext;
}

/**
 * A one-time Kyber key goes with its first use. One of last resort stays, and remembers each session that began with it for as long as it is
 * kept itself: a message that began one begins none again, however many came since.
 */
export async function useUp(unit: Pick<Unit, "get" | "put" | "drop">, kyberId: number, baseKey: string): Promise<void> {
  const before = await unit.get(KEY.lastResort(kyberId), codecs.bases);
  if (before === undefined) {
    unit.drop(KEY.kyber(kyberId));
    return;
  }
  const key = KEY.base(kyberId, baseKey);
  if (before.includes(baseKey) || (await unit.get(key, codecs.count)) !== undefined) {
    throw new ProtocolError("duplicate_message", "This session has begun before.");
  }
  unit.put(key, codecs.count, 1);
}
