import { hexToBytes } from "@noble/hashes/utils.js";
import { ProtocolError } from "../errors.ts";

/** A device of an account: what a session is with. */
export interface Address {
  /** A UUID. */
  readonly accountId: string;
  /** 1 … 127. */
  readonly deviceId: number;
}

const accountKind = 0;
const addressLength = 1 + 16 + 1;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Sender then recipient, as a message that begins a session carries them: kind ‖ UUID ‖ device, twice. A server that delivers
 * it to another device, or in another's name, is found out.
 *
 * @throws ProtocolError `invalid_address`.
 */
export function encodeAddresses(sender: Address, recipient: Address): Uint8Array {
  const encoded = new Uint8Array(2 * addressLength);
  write(encoded, 0, sender);
  write(encoded, addressLength, recipient);
  return encoded;
}

function write(target: Uint8Array, offset: number, { accountId, deviceId }: Address): void {
  if (!uuid.test(accountId)) throw new ProtocolError("invalid_address", "The account id is no UUID.");
  if (!Number.isInteger(deviceId) || deviceId < 1 || deviceId > 127) {
    throw new ProtocolError("invalid_address", "The device id is not between 1 and 127.");
  }
  target[offset] = accountKind;
  target.set(hexToBytes(accountId.replaceAll("-", "")), offset + 1);
  target[offset + addressLength - 1] = deviceId;
}
