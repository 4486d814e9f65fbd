import * as v from "valibot";
import { type SessionId, UserId } from "./ids.ts";
import { LIMITS } from "./limits.ts";

/** A device of an account, as Signal numbers them. A revoked device's number may be given to a new device. */
export const DeviceId = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(127));
export type DeviceId = v.InferOutput<typeof DeviceId>;

/** Chosen at random by each installation: another one under the same device id means that the device was made anew. 14 bits, as Signal's. */
export const RegistrationId = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(16_383));

/**
 * Goes up by 1 with each change of the list; the first list of an account is 1. A device that knows a later list than the server, which was
 * restored from a backup, goes on from what it knows (`LIMITS.listVersionLead`).
 */
export const ListVersion = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2_147_483_647));

export const ListedDevice = v.object({
  deviceId: DeviceId,
  registrationId: RegistrationId,
  /** Milliseconds since the epoch, by the clock of the device that signed: a number has one way to be written. */
  createdAt: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
export type ListedDevice = v.InferOutput<typeof ListedDevice>;

/** Every device of an account. A device exists exactly while it is on the list that its account signed last. */
export const DeviceList = v.object({
  userId: UserId,
  version: ListVersion,
  devices: v.pipe(
    v.array(ListedDevice),
    v.minLength(1),
    v.maxLength(LIMITS.devicesPerUser),
    v.check(
      (devices) => new Set(devices.map(({ deviceId }) => deviceId)).size === devices.length,
      "a device is listed once",
    ),
  ),
});
export type DeviceList = v.InferOutput<typeof DeviceList>;

/** Keeps these signatures apart from every other use of an identity key. May never change. */
const DOMAIN = "LesCopains device list v1";

/**
 * What an account's identity key signs (XEdDSA), the same bytes for everyone whatever the order of the array:
 *
 *     LesCopains device list v1
 *     user 01890a5d-ac96-774b-bcce-b302099a8057
 *     version 2
 *     device 1 4711 1763000000000
 *     device 2 815 1763000360000
 *
 * in UTF-8 (all of it is ASCII), devices by id, each line ended by a line feed.
 */
export function deviceListBytes({ userId, version, devices }: DeviceList): Uint8Array<ArrayBuffer> {
  const lines = devices
    .toSorted((a, b) => a.deviceId - b.deviceId)
    .map(({ deviceId, registrationId, createdAt }) => `device ${deviceId} ${registrationId} ${createdAt}`);
  return ascii([DOMAIN, `user ${userId}`, `version ${version}`, ...lines]);
}

/** A device that is to be spoken for by a sign-in. */
export interface DeviceBinding extends Pick<ListedDevice, "deviceId" | "registrationId"> {
  readonly userId: UserId;
  readonly sessionId: SessionId;
}

const BINDING_DOMAIN = "LesCopains device binding v1";

/**
 * What an account's identity key signs when a device begins to be spoken for by a sign-in: whoever has the sign-in alone, or the password,
 * takes no device's place.
 *
 *     LesCopains device binding v1
 *     user 01890a5d-ac96-774b-bcce-b302099a8057
 *     session 01890a5d-ac96-774b-bcce-b302099a8058
 *     device 1 4711
 *
 * in UTF-8, each line ended by a line feed.
 */
export function deviceBindingBytes({
  userId,
  sessionId,
  deviceId,
  registrationId,
}: DeviceBinding): Uint8Array<ArrayBuffer> {
  const lines = [`user ${userId}`, `session ${sessionId}`, `device ${deviceId} ${registrationId}`];
  return ascii([BINDING_DOMAIN, ...lines]);
}

function ascii(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(`${lines.join("\n")}\n`, (character) => character.charCodeAt(0));
}
