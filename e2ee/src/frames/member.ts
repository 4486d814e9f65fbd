import { hexToBytes } from "@noble/hashes/utils.js";
import { concat } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import type { Address } from "../session/address.ts";

/** One stay of a device in a call: who leaves and comes back, or reloads the page, is another member. */
export interface Member extends Address {
  /** A UUID. */
  readonly joinId: string;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** @throws ProtocolError `invalid_address` for anything but a UUID in small letters: an id has one way to be written. */
export function uuidBytes(id: string): Uint8Array {
  if (!uuid.test(id)) throw new ProtocolError("invalid_address", "The id is no UUID.");
  return hexToBytes(id.replaceAll("-", ""));
}

/**
 * account 16 ‖ device 1 ‖ join 16.
 *
 * @throws ProtocolError `invalid_address`.
 */
export function encodeMember({ accountId, deviceId, joinId }: Member): Uint8Array {
  if (!Number.isInteger(deviceId) || deviceId < 1 || deviceId > 127) {
    throw new ProtocolError("invalid_address", "The device id is not between 1 and 127.");
  }
  return concat(uuidBytes(accountId), Uint8Array.of(deviceId), uuidBytes(joinId));
}

/** Whether a message that came from this device may speak for `member`. */
export function isDeviceOf(member: Member, { accountId, deviceId }: Address): boolean {
  return member.accountId === accountId && member.deviceId === deviceId;
}
