import { type DeviceId, type DeviceList, deviceListBytes, type ListedDevice } from "@lescopains/protocol/device-list";
import type { UserId } from "@lescopains/protocol/ids";
import type { DeviceBody, PublishedDevices } from "@lescopains/protocol/keys";
import { LIMITS } from "@lescopains/protocol/limits";
import { type Outcome, ok, type Refusal, refuse } from "@lescopains/protocol/outcome";

/** What a registration comes to. */
export interface Registration {
  /** The list that is expected to be there; 0 and null: none. */
  readonly expectedVersion: number;
  readonly expectedIdentityKey: string | null;
  readonly kept: DeviceId[];
  /** The device begins with nothing: it is new, or another one under an old id. */
  readonly fresh: boolean;
  /** The list or the identity is another one, so that people are told. */
  readonly changes: boolean;
  /** Another identity takes the place of the stored one: the password has to be confirmed. */
  readonly resets: boolean;
}

/**
 * Whether a device may be registered with this list while `present` is what the account has published. Signatures are verified elsewhere.
 * A device adds or changes its own line, and may leave others out; nobody else's line changes, and the version goes up: by one, or to beyond what
 * the device knows from before the server was restored from a backup.
 */
export function registration(
  userId: UserId,
  present: PublishedDevices | null,
  body: DeviceBody,
): Outcome<Registration> {
  const { deviceId, registrationId, identityKey, deviceList } = body;
  if (deviceList.userId !== userId) return notOwn;
  const own = lineOf(deviceList, deviceId);
  if (own?.registrationId !== registrationId)
    return refuse("invalid_request", "the list has another registration id for this device");
  const kept = deviceList.devices.map((device) => device.deviceId);
  if (present === null) {
    if (!follows(0, deviceList) || kept.length !== 1)
      return refuse("invalid_request", "the first list has version 1 and this device alone");
    return ok({ expectedVersion: 0, expectedIdentityKey: null, kept, fresh: true, changes: true, resets: false });
  }
  const expected = { expectedVersion: present.deviceList.version, expectedIdentityKey: present.identityKey };
  if (identityKey !== present.identityKey) {
    if (body.reset === undefined) return conflictWith(present, "the account has another identity key");
    if (!follows(present.deviceList.version, deviceList)) return staleList(present);
    if (kept.length !== 1) return refuse("invalid_request", "the first list of a new identity has this device alone");
    return ok({ ...expected, kept, fresh: true, changes: true, resets: true });
  }
  if (deviceList.version === present.deviceList.version) {
    if (!sameList(deviceList, present.deviceList)) return staleList(present);
    return ok({ ...expected, kept, fresh: false, changes: false, resets: false });
  }
  if (!follows(present.deviceList.version, deviceList)) return staleList(present);
  if (deviceList.devices.some((device) => device.deviceId !== deviceId && !isListed(present.deviceList, device)))
    return refuse("invalid_request", "a device adds itself to the list, and no other");
  return ok({ ...expected, kept, fresh: !isListed(present.deviceList, own), changes: true, resets: false });
}

/** Whether a list that leaves devices out may be published: the ids that stay, or null when the list is there already. */
export function revocation(
  userId: UserId,
  present: PublishedDevices | null,
  list: DeviceList,
): Outcome<DeviceId[] | null> {
  if (list.userId !== userId) return notOwn;
  if (present === null) return refuse("not_found", "the account has no device yet");
  if (sameList(list, present.deviceList)) return ok(null);
  if (!follows(present.deviceList.version, list)) return staleList(present);
  if (list.devices.some((device) => !isListed(present.deviceList, device)))
    return refuse("invalid_request", "this list may only leave devices out");
  return ok(list.devices.map(({ deviceId }) => deviceId));
}

function follows(version: number, { version: next }: DeviceList): boolean {
  return next > version && next <= version + LIMITS.listVersionLead;
}

const notOwn = refuse("invalid_request", "the list is another account's");

/** The list on which a change was made is not the present one: here it is. */
export function staleList(present: PublishedDevices | null): Refusal {
  return conflictWith(present, "the list has changed: sign the next version of the present one");
}

function conflictWith(present: PublishedDevices | null, message: string): Refusal {
  return refuse("conflict", message, { details: { ...present } });
}

function lineOf(list: DeviceList, deviceId: DeviceId): ListedDevice | undefined {
  return list.devices.find((device) => device.deviceId === deviceId);
}

function isListed(list: DeviceList, { deviceId, registrationId, createdAt }: ListedDevice): boolean {
  const line = lineOf(list, deviceId);
  return line?.registrationId === registrationId && line.createdAt === createdAt;
}

function sameList(a: DeviceList, b: DeviceList): boolean {
  return String(deviceListBytes(a)) === String(deviceListBytes(b));
}
