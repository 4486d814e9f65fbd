import { sign } from "@lescopains/e2ee/primitives/curve";
import { generateIdentity } from "@lescopains/e2ee/session/keys";
import { deviceBindingBytes, type DeviceId, type DeviceList, deviceListBytes } from "@lescopains/protocol/device-list";
import type { DirectChannel } from "@lescopains/protocol/entities";
import type { Generation, UserId } from "@lescopains/protocol/ids";
import type { DeviceBody, OwnDevices, PublishedDevices } from "@lescopains/protocol/keys";
import { LIMITS } from "@lescopains/protocol/limits";
import { ApiError } from "../net/api-error.ts";
import { toBase64 } from "./base64.ts";
import { checkOwnIdentity, keptIdentity } from "./identity.ts";
import { type Kit, refusal } from "./kit.ts";
import {
  dropAside,
  keepDevice,
  makeDevice,
  type NewDevice,
  putAside,
  readAside,
  useAside,
  useAsideIfPublished,
} from "./new-device.ts";
import { checkSigned, learnDevices, readPeer, refreshPeers } from "./peers.ts";
import type { DeviceState, OwnDeviceView } from "./port.ts";
import { publicKyber, publicSigned } from "./prekeys.ts";
import { type ChannelRecord, codecs, type DeviceRecord, KEY } from "./records.ts";
import { ownDevice } from "./sessions.ts";
import type { Unit } from "./store/store.ts";
import { markAll } from "./unsaved.ts";

/** Others may change the account's list at the same moment. */
const LIST_TRIES = 6;

/** What this browser has kept, without asking anyone. */
export async function keptDevice(unit: Unit): Promise<DeviceRecord | undefined> {
  const device = await unit.get(KEY.device, codecs.device);
  // A device without its identity is a damaged database: never a reason to make a new one.
  if (device !== undefined) await keptIdentity(unit);
  return device;
}

/**
 * Brings this browser's device and the server together. `settle` is called under a lock of its own, so that two tabs make one device.
 *
 * - nothing here, nothing there: a new identity, kept before it is told;
 * - nothing here, one there: it has to come from another browser or from the vault;
 * - kept here, on the list → bound to this sign-in;
 * - kept here, and the server was restored from a backup since → the list that it has goes on from the one that is known here, this device on it;
 * - kept here, not on a later list that our own identity has signed → revoked. Anything less is not believed;
 * - kept here, another identity there: nobody can prove that it is ours. It is told, asked again each time, and nothing is deleted.
 */
export async function settleDevice(kit: Kit, name: string): Promise<Settled> {
  const ended = await kit.store.exclusive(async (unit) => {
    return (await keptDevice(unit))?.status === "revoked" && (await readAside(unit)) === undefined;
  });
  if (ended) return { generation: undefined, state: { kind: "revoked" } };
  const present = await kit.server.call("listDevices");
  return { generation: present.generation, state: await settleWith(kit, name, present) };
}

/** `generation`: of the server's database; undefined when it was not asked. */
export interface Settled {
  readonly generation: Generation | undefined;
  readonly state: DeviceState;
}

async function settleWith(kit: Kit, name: string, present: OwnDevices): Promise<DeviceState> {
  await useAsideIfPublished(kit, present.published);
  let device = await kit.store.exclusive(keptDevice);
  if (device === undefined) {
    if (present.published !== null) return elsewhere(false);
    device = await makeIdentity(kit, name);
  }
  if (device.status === "revoked") return { kind: "revoked" };
  const { publicKey } = await kit.store.exclusive(keptIdentity);
  if (present.published !== null && present.published.identityKey !== toBase64(publicKey)) {
    if (device.status === "active") return elsewhere(true);
    // Another browser was first: what was made here and never told is forgotten.
    await forgetIdentity(kit);
    return elsewhere(false);
  }
  const forgot = isForgotten(device, present);
  if (device.status === "active" && !forgot && !(await staysListed(kit, device, present.published)))
    return { kind: "revoked" };
  const bound = present.devices.find(({ deviceId }) => deviceId === device.deviceId)?.current === true;
  if (device.status === "registering" || !bound || forgot) await register(kit, present, undefined);
  else if (device.generation === null) await noteGeneration(kit, present);
  const { deviceId } = await kit.store.exclusive(ownDevice);
  return { kind: "ready", deviceId };
}

/** The server's database is a backup from before now: what this device told it since may be unknown there. */
function isForgotten({ status, generation }: DeviceRecord, present: OwnDevices): boolean {
  return status === "active" && generation !== null && generation !== present.generation;
}

async function noteGeneration(kit: Kit, { generation }: OwnDevices): Promise<void> {
  await kit.store.exclusive(async (unit) => {
    const device = await unit.get(KEY.device, codecs.device);
    if (device !== undefined) unit.put(KEY.device, codecs.device, { ...device, generation });
    await unit.commit();
  });
}

function elsewhere(replaced: boolean): DeviceState {
  return { kind: "identityElsewhere", replaced, vault: false, passphrase: false };
}

/**
 * Takes in the account's own list. A device in use was on the list that is known here: it is off only when our identity has signed a
 * later one without it, and this is kept with that list.
 *
 * @throws KeysError `list_refused`
 */
async function staysListed(kit: Kit, device: DeviceRecord, published: PublishedDevices | null): Promise<boolean> {
  if (published === null) throw refusal("list_refused", "the server knows nothing of the account's devices any more");
  return await kit.store.exclusive(async (unit) => {
    const known = await learnDevices(kit, unit, kit.selfId, published);
    const listed = known?.list != null && ownLine(known.list.devices, device) !== undefined;
    if (!listed) unit.put(KEY.device, codecs.device, { ...device, status: "revoked" });
    await unit.commit();
    return listed;
  });
}

/** A registration id alone may be another browser's by chance: there are 16,380. */
function ownLine(devices: DeviceList["devices"], { registrationId, createdAtMs }: DeviceRecord) {
  return devices.find((line) => line.registrationId === registrationId && line.createdAt === createdAtMs);
}

/** A new identity for the account, and this browser as its first device: kept before anyone hears of it. */
async function makeIdentity(kit: Kit, name: string): Promise<DeviceRecord> {
  const made = await makeDevice(kit, await generateIdentity(kit.platform), { name, restored: false });
  await kit.store.exclusive(async (unit) => {
    await keepDevice(unit, made);
    await unit.commit();
  });
  return made.device;
}

async function forgetIdentity(kit: Kit): Promise<void> {
  await kit.store.exclusive(async (unit) => {
    const keys = [...(await unit.keys("signed/")), ...(await unit.keys("kyber/")), ...(await unit.keys("bases/"))];
    for (const key of [KEY.device, KEY.identity, ...keys]) unit.drop(key);
    await unit.commit();
  });
}

/**
 * A new identity in place of the account's, and this browser as its first device.
 *
 * @throws KeysError `wrong_password`; nothing has changed then.
 */
export async function startOver(kit: Kit, name: string, password: string): Promise<void> {
  const present = await kit.server.call("listDevices");
  await putAside(kit, await makeDevice(kit, await generateIdentity(kit.platform), { name, restored: false }));
  try {
    await register(kit, present, { password });
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "invalid_credentials") throw error;
    await kit.store.exclusive(async (unit) => {
      dropAside(unit);
      await unit.commit();
    });
    throw refusal("wrong_password", "the password is wrong");
  }
}

interface Reset {
  readonly password: string;
}

/** Puts this device on the list, signed, and binds it to this sign-in; again while others change the list. */
async function register(kit: Kit, found: OwnDevices, reset: Reset | undefined): Promise<void> {
  let present = found;
  for (let tries = 0; ; tries += 1) {
    if (reset === undefined) await noteFloors(kit, present.published);
    const prepared = await kit.store.exclusive((unit) => prepareRegistration(kit, unit, present, reset));
    try {
      const answer = await kit.server.call("putDevice", { body: prepared });
      await kit.store.exclusive((unit) => noteRegistered(kit, unit, prepared, answer));
      return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "conflict" || tries >= LIST_TRIES) throw error;
      present = await kit.server.call("listDevices");
      if (reset !== undefined || present.published === null) continue;
      const { publicKey } = await kit.store.exclusive(keptIdentity);
      if (present.published.identityKey !== toBase64(publicKey)) throw error;
    }
  }
}

/** The device is in use, and the list that it signed is known, in one step: no earlier one can take it off again. */
async function noteRegistered(kit: Kit, unit: Unit, prepared: DeviceBody, answer: OwnDevices): Promise<void> {
  if (prepared.reset !== undefined) {
    const made = await readAside(unit);
    if (made !== undefined) await useAside(kit, unit, made);
  }
  const device = await unit.get(KEY.device, codecs.device);
  const line = answer.devices.find(({ deviceId }) => deviceId === prepared.deviceId);
  if (device !== undefined) {
    unit.put(KEY.device, codecs.device, {
      ...device,
      status: "active",
      deviceId: prepared.deviceId,
      registeredAt: device.registeredAt ?? line?.createdAt ?? null,
      generation: answer.generation,
    });
    // What the vault got since is not in it any more.
    if (isForgotten(device, answer)) await markAll(kit, unit);
  }
  for (const list of [prepared, answer.published]) await learnDevices(kit, unit, kit.selfId, list);
  await unit.commit();
}

/** Messages asked for again, of each conversation, by a browser that got its identity from elsewhere. */
const RESTORED_DEPTH = 500;

/** What stands in conversations before this device exists is not for it, unless the identity was restored: then the last of it is asked for. */
async function noteFloors(kit: Kit, present: PublishedDevices | null): Promise<void> {
  const device = await kit.store.exclusive(keptDevice);
  if (device?.status !== "registering") return;
  // Its registration's answer was lost: what came meanwhile is for it.
  if (ownLine(present?.deviceList.devices ?? [], device) !== undefined) return;
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

interface Base {
  readonly list: DeviceList | undefined;
  /** The latest that is known: the next one is later. */
  readonly version: number;
}

/** What the next list is made of: what is signed anew is what we believe, so a line that the server put in is refused with its list. */
async function baseFor(kit: Kit, unit: Unit, device: DeviceRecord, present: OwnDevices): Promise<Base> {
  const { published } = present;
  const known = (await readPeer(unit, kit.selfId))?.list ?? undefined;
  const isBehind = published === null || published.deviceList.version <= (known?.version ?? 0);
  if (known === undefined || !isForgotten(device, present) || !isBehind) {
    const list = (await learnDevices(kit, unit, kit.selfId, published))?.list ?? undefined;
    return { list, version: list?.version ?? 0 };
  }
  if (published === null) return { list: undefined, version: known.version };
  await checkOwnIdentity(unit, published.identityKey);
  await checkSigned(kit, kit.selfId, published);
  const { deviceList } = published;
  if (String(deviceListBytes(deviceList)) === String(deviceListBytes(known)))
    return { list: known, version: known.version };
  // Another list than either, so under a version of its own.
  // Of an earlier list, what was taken off since stays off. What the server does not know comes back by itself, as this device does. Under the
  // same version another of the account's browsers has gone on from what it knew, when this one was away.
  const isEarlier = deviceList.version < known.version;
  const devices = deviceList.devices.filter((line) => !isEarlier || isSameLine(known.devices, line));
  return { list: { ...deviceList, version: 0, devices }, version: known.version };
}

function isSameLine(devices: DeviceList["devices"], line: DeviceList["devices"][number]): boolean {
  return devices.some(
    ({ deviceId, registrationId, createdAt }) =>
      deviceId === line.deviceId && registrationId === line.registrationId && createdAt === line.createdAt,
  );
}

async function prepareRegistration(
  kit: Kit,
  unit: Unit,
  present: OwnDevices,
  reset: Reset | undefined,
): Promise<DeviceBody> {
  const { sessionId, published, devices } = present;
  const made = reset === undefined ? await readKept(unit) : await readAside(unit);
  if (made === undefined) throw refusal("storage_failed", "the keys of this browser's device are gone");
  const { device, identity, signed, kyber } = made;
  const base = reset === undefined ? await baseFor(kit, unit, device, present) : await baseAnew(kit, unit, published);
  const { list, deviceId } = listWith(kit, device, base);
  if (deviceId !== device.deviceId) {
    unit.put(reset === undefined ? KEY.device : KEY.next.device, codecs.device, { ...device, deviceId });
  }
  await unit.commit();
  const { registrationId } = device;
  const signed64 = async (bytes: Uint8Array): Promise<string> =>
    toBase64(await sign(kit.platform, identity.privateKey, bytes));
  // Another browser of the account may have named it.
  const named = devices.find((one) => one.deviceId === deviceId && one.registrationId === registrationId);
  return {
    deviceId,
    registrationId,
    identityKey: toBase64(identity.publicKey),
    signedPreKey: publicSigned(signed),
    kyberPreKey: publicKyber(kyber),
    name: named?.name ?? device.name,
    deviceList: list,
    deviceListSignature: await signed64(deviceListBytes(list)),
    bindingSignature: await signed64(deviceBindingBytes({ userId: kit.selfId, sessionId, deviceId, registrationId })),
    ...(reset === undefined ? {} : { reset }),
  };
}

async function readKept(unit: Unit): Promise<NewDevice | undefined> {
  const device = await unit.get(KEY.device, codecs.device);
  const identity = await keptIdentity(unit);
  const signed = await unit.get(KEY.signed(device?.signedId ?? 0), codecs.signed);
  const kyber = await unit.get(KEY.kyber(device?.kyberId ?? 0), codecs.kyber);
  if (device === undefined || signed === undefined || kyber === undefined) return undefined;
  return { device, identity, signed, kyber };
}

/** A new identity has one device; versions go on, from the latest that anyone may know. */
async function baseAnew(kit: Kit, unit: Unit, published: PublishedDevices | null): Promise<Base> {
  const known = (await readPeer(unit, kit.selfId))?.list?.version ?? 0;
  return { list: undefined, version: Math.max(known, published?.deviceList.version ?? 0) };
}

function listWith(
  kit: Kit,
  device: DeviceRecord,
  { list, version }: Base,
): { readonly list: DeviceList; readonly deviceId: DeviceId } {
  const before = list?.devices ?? [];
  const own = ownLine(before, device);
  if (own !== undefined && list !== undefined) {
    return { list: list.version === version ? list : { ...list, version: version + 1 }, deviceId: own.deviceId };
  }
  if (before.length >= LIMITS.devicesPerUser) throw refusal("conflict", "the account has as many devices as it may");
  const taken = new Set(before.map(({ deviceId }) => deviceId));
  let { deviceId } = device;
  if (taken.has(deviceId)) deviceId = 1;
  while (taken.has(deviceId)) deviceId += 1;
  const { registrationId, createdAtMs } = device;
  return {
    list: {
      userId: kit.selfId,
      version: version + 1,
      devices: [...before, { deviceId, registrationId, createdAt: createdAtMs }],
    },
    deviceId,
  };
}

/** The account's own list, by the same rules as anyone's: signed by our identity, and never back. */
async function takeOwnList(kit: Kit, published: PublishedDevices | null): Promise<DeviceList | undefined> {
  return await kit.store.exclusive(async (unit) => {
    await ownDevice(unit);
    const known = await learnDevices(kit, unit, kit.selfId, published);
    await unit.commit();
    return known?.list ?? undefined;
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
    const deviceList = await takeOwnList(kit, published);
    if (deviceList === undefined) throw refusal("not_found", "the account has no devices");
    const devices = deviceList.devices.filter(({ deviceId }) => !deviceIds.includes(deviceId));
    if (devices.length === deviceList.devices.length) throw refusal("not_found", "no such device");
    const list: DeviceList = { ...deviceList, version: deviceList.version + 1, devices };
    const { privateKey } = await kit.store.exclusive(keptIdentity);
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
