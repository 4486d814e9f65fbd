import { concat } from "@lescopains/e2ee/bytes";
import { sign } from "@lescopains/e2ee/primitives/curve";
import { generateIdentity, generateRegistrationId } from "@lescopains/e2ee/session/keys";
import { type DeviceId, type DeviceList, deviceListBytes } from "@lescopains/protocol/device-list";
import type { DirectChannel } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import type { OwnDevices, PublishedDevices } from "@lescopains/protocol/keys";
import { LIMITS } from "@lescopains/protocol/limits";
import { ApiError } from "../net/api-error.ts";
import { toBase64 } from "./base64.ts";
import { type Kit, refusal } from "./kit.ts";
import { learnDevices, refreshPeers } from "./peers.ts";
import type { DeviceState, OwnDeviceView } from "./port.ts";
import { makeLongKeys, publicKyber, publicSigned } from "./prekeys.ts";
import { type ChannelRecord, codecs, type DeviceRecord, KEY } from "./records.ts";
import { type OwnDevice, ownDevice, splitIdentity } from "./sessions.ts";
import { bytesCodec } from "./store/codec.ts";
import type { Unit } from "./store/store.ts";

/** Others may change the account's list at the same moment. */
const LIST_TRIES = 6;

function identityBytes({ privateKey, publicKey }: OwnDevice["identity"]): Uint8Array {
  return concat(privateKey, publicKey);
}

/** What this browser has kept, without asking anyone. */
export async function keptDevice(unit: Unit): Promise<DeviceRecord | undefined> {
  const device = await unit.get(KEY.device, codecs.device);
  if (device === undefined) return undefined;
  const identity = await unit.get(KEY.identity, bytesCodec);
  // A device without its identity is a damaged database: never a reason to make a new one.
  if (identity === undefined) throw refusal("storage_failed", "the identity of this browser's device is gone");
  return device;
}

/**
 * Brings this browser's device and the server together. `settle` is called under a lock of its own, so that two tabs make one device.
 *
 * - nothing here, nothing there: a new identity, kept before it is told;
 * - nothing here, one there: it has to come from another browser or from the vault;
 * - kept here: on the list → bound to this sign-in; not on it → revoked.
 */
export async function settleDevice(kit: Kit, name: string): Promise<DeviceState> {
  let device = await kit.store.exclusive(keptDevice);
  if (device?.status === "revoked") return { kind: "revoked" };
  const present = await kit.server.call("listDevices");
  if (device === undefined) {
    if (present.published !== null) return await elsewhere();
    device = await makeIdentity(kit, name);
  }
  const identity = await readIdentity(kit);
  if (present.published !== null && present.published.identityKey !== toBase64(identity.publicKey)) {
    // Another browser was first: what was made here and never told is forgotten. What was in use is kept, and says why it ended.
    if (device.status === "active") return await markRevoked(kit);
    await forgetIdentity(kit);
    return await elsewhere();
  }
  const line = present.published?.deviceList.devices.find(({ deviceId }) => deviceId === device.deviceId);
  const isListed = line?.registrationId === device.registrationId && line.createdAt === device.createdAtMs;
  if (device.status === "active" && !isListed) return await markRevoked(kit);
  const bound = present.devices.find(({ deviceId }) => deviceId === device.deviceId)?.current === true;
  if (device.status === "registering" || !bound) await register(kit, present.published, undefined);
  else await takeOwnList(kit, present.published);
  const { deviceId } = await kit.store.exclusive(ownDevice);
  return { kind: "ready", deviceId };

  async function elsewhere(): Promise<DeviceState> {
    return { kind: "identityElsewhere", vault: false, passphrase: false };
  }
}

async function readIdentity(kit: Kit): Promise<OwnDevice["identity"]> {
  const bytes = await kit.store.exclusive((unit) => unit.get(KEY.identity, bytesCodec));
  if (bytes === undefined) throw refusal("storage_failed", "the identity of this browser's device is gone");
  return splitIdentity(bytes);
}

/** A new identity for the account, and this browser as its first device. */
async function makeIdentity(kit: Kit, name: string): Promise<DeviceRecord> {
  const identity = await generateIdentity(kit.platform);
  return await kit.store.exclusive(async (unit) => {
    const device = await prepareDevice(kit, unit, identity, { name, restored: false });
    await unit.commit();
    return device;
  });
}

/** A device for an identity, to be registered: kept with its keys before anyone hears of it. */
export async function prepareDevice(
  kit: Kit,
  unit: Unit,
  identity: OwnDevice["identity"],
  { name, restored }: { readonly name: string; readonly restored: boolean },
): Promise<DeviceRecord> {
  const blank: DeviceRecord = {
    status: "registering",
    deviceId: 1,
    registrationId: generateRegistrationId(kit.platform.random),
    createdAtMs: kit.clock.now(),
    name,
    nextPreKeyId: 1,
    nextSignedId: 1,
    nextKyberId: 1,
    signedId: 0,
    kyberId: 0,
    rotatedAtMs: 0,
    registeredAt: null,
    restored,
  };
  await forgetEarlierDevice(unit);
  const { device } = await makeLongKeys(kit, unit, blank, identity);
  unit.put(KEY.identity, bytesCodec, identityBytes(identity));
  unit.put(KEY.device, codecs.device, device);
  return device;
}

/** Sessions and keys were another device's, and what was encrypted with them too. Messages stay; those that wait are encrypted anew. */
async function forgetEarlierDevice(unit: Unit): Promise<void> {
  const prefixes = ["session/", "own/", "holders/", "theirs/", "prekey/", "signed/", "kyber/", "bases/", "envelopes/"];
  for (const prefix of prefixes) for (const key of await unit.keys(prefix)) unit.drop(key);
  for (const key of await unit.keys("outbox/")) {
    const outgoing = await unit.get(key, codecs.outgoing);
    if (outgoing !== undefined) unit.put(key, codecs.outgoing, { ...outgoing, wire: null, to: [] });
  }
}

async function forgetIdentity(kit: Kit): Promise<void> {
  await kit.store.exclusive(async (unit) => {
    const keys = [...(await unit.keys("signed/")), ...(await unit.keys("kyber/")), ...(await unit.keys("bases/"))];
    for (const key of [KEY.device, KEY.identity, ...keys]) unit.drop(key);
    await unit.commit();
  });
}

async function markRevoked(kit: Kit): Promise<DeviceState> {
  await kit.store.exclusive(async (unit) => {
    const device = await unit.get(KEY.device, codecs.device);
    if (device !== undefined) unit.put(KEY.device, codecs.device, { ...device, status: "revoked" });
    await unit.commit();
  });
  return { kind: "revoked" };
}

interface Reset {
  readonly password: string;
}

/** Puts this device on the list, signed, and binds it to this sign-in; again while others change the list. */
export async function register(kit: Kit, published: PublishedDevices | null, reset: Reset | undefined): Promise<void> {
  let present = published;
  for (let tries = 0; ; tries += 1) {
    await noteFloors(kit);
    const prepared = await kit.store.exclusive((unit) => prepareRegistration(kit, unit, present, reset));
    try {
      const answer = await kit.server.call("putDevice", { body: prepared });
      await kit.store.exclusive(async (unit) => {
        const device = await unit.get(KEY.device, codecs.device);
        const line = answer.devices.find(({ deviceId }) => deviceId === prepared.deviceId);
        if (device !== undefined) {
          unit.put(KEY.device, codecs.device, {
            ...device,
            status: "active",
            deviceId: prepared.deviceId,
            registeredAt: device.registeredAt ?? line?.createdAt ?? null,
          });
        }
        await unit.commit();
      });
      await takeOwnList(kit, answer.published);
      return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "conflict" || tries >= LIST_TRIES) throw error;
      present = (await kit.server.call("listDevices")).published;
      const identity = await readIdentity(kit);
      if (reset === undefined && present !== null && present.identityKey !== toBase64(identity.publicKey)) throw error;
    }
  }
}

/** Messages asked for again, of each conversation, by a browser that got its identity from elsewhere. */
const RESTORED_DEPTH = 500;

/** What stands in conversations before this device exists is not for it, unless the identity was restored: then the last of it is asked for. */
async function noteFloors(kit: Kit): Promise<void> {
  const device = await kit.store.exclusive(keptDevice);
  if (device?.status !== "registering") return;
  const { channels } = await kit.server.call("listDms");
  await kit.store.exclusive(async (unit) => {
    for (const channel of channels) {
      const known = await unit.get(KEY.channel(channel.id), codecs.channel);
      const floor = device.restored ? Math.max(known?.seen ?? 0, channel.lastSeq - RESTORED_DEPTH) : channel.lastSeq;
      unit.put(KEY.channel(channel.id), codecs.channel, {
        ...channelOf(channel, known),
        seen: Math.max(floor, 0),
        readSeq: channel.readSeq,
      });
    }
    await unit.commit();
  });
}

/** A conversation as the server tells of it, with what is known here. */
export function channelOf(channel: DirectChannel, known: ChannelRecord | undefined): ChannelRecord {
  // Of a restored one nobody is known yet.
  const pair = known?.type === "dm" && known.participants.length > 0 ? known : undefined;
  return {
    channelId: channel.id,
    // Two people stay the same two people, whatever the server says later.
    type: pair?.type ?? channel.type,
    participants: pair?.participants ?? channel.participants.map(({ id }) => id),
    left: false,
    seen: known?.seen ?? 0,
    acknowledged: known?.acknowledged ?? 0,
    readSeq: Math.max(known?.readSeq ?? 0, channel.readSeq),
    unread: known?.unread ?? 0,
    readBy: known?.readBy ?? {},
    notices: known?.notices ?? [],
  };
}

async function prepareRegistration(kit: Kit, unit: Unit, present: PublishedDevices | null, reset: Reset | undefined) {
  const device = await unit.get(KEY.device, codecs.device);
  const bytes = await unit.get(KEY.identity, bytesCodec);
  const signed = await unit.get(KEY.signed(device?.signedId ?? 0), codecs.signed);
  const kyber = await unit.get(KEY.kyber(device?.kyberId ?? 0), codecs.kyber);
  if (device === undefined || bytes === undefined || signed === undefined || kyber === undefined) {
    throw refusal("storage_failed", "the keys of this browser's device are gone");
  }
  const identity = splitIdentity(bytes);
  const { list, deviceId } = listWith(kit, device, present, reset !== undefined);
  if (deviceId !== device.deviceId) {
    unit.put(KEY.device, codecs.device, { ...device, deviceId });
    await unit.commit();
  }
  return {
    deviceId,
    registrationId: device.registrationId,
    identityKey: toBase64(identity.publicKey),
    signedPreKey: publicSigned(signed),
    kyberPreKey: publicKyber(kyber),
    name: device.name,
    deviceList: list,
    deviceListSignature: toBase64(await sign(kit.platform, identity.privateKey, deviceListBytes(list))),
    ...(reset === undefined ? {} : { reset }),
  };
}

function listWith(
  kit: Kit,
  device: DeviceRecord,
  present: PublishedDevices | null,
  startsOver: boolean,
): { readonly list: DeviceList; readonly deviceId: DeviceId } {
  const before = startsOver ? [] : (present?.deviceList.devices ?? []);
  // A registration id alone may be another browser's by chance: there are 16,380.
  const own = before.find(
    ({ registrationId, createdAt }) => registrationId === device.registrationId && createdAt === device.createdAtMs,
  );
  if (own !== undefined && present !== null) return { list: present.deviceList, deviceId: own.deviceId };
  if (before.length >= LIMITS.devicesPerUser) throw refusal("conflict", "the account has as many devices as it may");
  const taken = new Set(before.map(({ deviceId }) => deviceId));
  let deviceId = 1;
  while (taken.has(deviceId)) deviceId += 1;
  const { registrationId, createdAtMs } = device;
  return {
    list: {
      userId: kit.selfId,
      version: (present?.deviceList.version ?? 0) + 1,
      devices: [...before, { deviceId, registrationId, createdAt: createdAtMs }],
    },
    deviceId,
  };
}

/** The account's own list, by the same rules as anyone's: signed by our identity, and never back. */
async function takeOwnList(kit: Kit, published: PublishedDevices | null): Promise<void> {
  if (published === null) return;
  await kit.store.exclusive(async (unit) => {
    const { identity } = await ownDevice(unit);
    if (published.identityKey !== toBase64(identity.publicKey)) throw refusal("list_refused", "not our identity");
    await learnDevices(kit, unit, kit.selfId, published);
    await unit.commit();
  });
}

/** Lists of other people, and one's own, as the server has them now. */
export async function refreshLists(kit: Kit, userIds: Iterable<UserId>): Promise<void> {
  const asked = new Set(userIds);
  await refreshPeers(kit, asked);
  if (asked.has(kit.selfId)) await takeOwnList(kit, (await kit.server.call("listDevices")).published);
}

export function deviceViews({ devices }: OwnDevices): OwnDeviceView[] {
  return devices.map(({ deviceId, name, createdAt, lastSeenAt, current }) => ({
    deviceId,
    name,
    createdAt,
    lastSeenAt,
    current,
  }));
}

/** Publishes a list without these devices: from then on nobody encrypts for them. */
export async function revokeDevices(kit: Kit, deviceIds: readonly DeviceId[]): Promise<OwnDevices> {
  for (let tries = 0; ; tries += 1) {
    const { published } = await kit.server.call("listDevices");
    if (published === null) throw refusal("not_found", "the account has no devices");
    await takeOwnList(kit, published);
    const { deviceList } = published;
    const devices = deviceList.devices.filter(({ deviceId }) => !deviceIds.includes(deviceId));
    if (devices.length === deviceList.devices.length) throw refusal("not_found", "no such device");
    const list: DeviceList = { ...deviceList, version: deviceList.version + 1, devices };
    const { privateKey } = await readIdentity(kit);
    const deviceListSignature = toBase64(await sign(kit.platform, privateKey, deviceListBytes(list)));
    try {
      const answer = await kit.server.call("putDevices", { body: { deviceList: list, deviceListSignature } });
      await takeOwnList(kit, answer.published);
      return answer;
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "conflict" || tries >= LIST_TRIES) throw error;
    }
  }
}
