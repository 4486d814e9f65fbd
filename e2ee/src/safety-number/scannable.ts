import { equal } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { bytes, decodeProtobuf, encodeProtobuf, uint32 } from "../wire/protobuf.ts";

const version = 2;
const fingerprintLength = 32;
const maxLength = 256;
const scannableShape = { version: uint32(1), local: bytes(2), remote: bytes(3) };
const halfShape = { content: bytes(1) };

/** The bytes for a QR code (74) of our and their fingerprint. */
export function encodeScannable(local: Uint8Array, remote: Uint8Array): Uint8Array {
  return encodeProtobuf(scannableShape, {
    version,
    local: encodeProtobuf(halfShape, { content: local.subarray(0, fingerprintLength) }),
    remote: encodeProtobuf(halfShape, { content: remote.subarray(0, fingerprintLength) }),
  });
}

/**
 * - `same`: they see the keys that we see.
 * - `different`: they don't; never mark as verified. The fingerprints hold account and key together, so the code of somebody else looks
 *   like this too: what an attacker between both sides causes must not be mistaken for a harmless mix-up.
 * - `wrong_users`: our own code, shown by ourselves or another device of ours, which proves nothing about them.
 * - `wrong_version`: a code of another version of safety numbers.
 */
export type ScanResult = "same" | "different" | "wrong_users" | "wrong_version";

/**
 * Compares our code for a person with the one that was scanned from their screen. In constant time.
 *
 * @throws ProtocolError `invalid_message` when what was scanned is no safety number.
 */
export function compareScannable(ours: Uint8Array, scanned: Uint8Array): ScanResult {
  const our = decode(ours);
  const their = decode(scanned);
  if (their === "wrong_version" || our === "wrong_version") return "wrong_version";
  const theyAreRight = equal(their.local, our.remote);
  const weAreRight = equal(their.remote, our.local);
  if (theyAreRight && weAreRight) return "same";
  const isOurs = equal(their.local, our.local) && equal(their.remote, our.remote);
  return isOurs ? "wrong_users" : "different";
}

function decode(input: Uint8Array): "wrong_version" | { local: Uint8Array; remote: Uint8Array } {
  if (input.length > maxLength) throw unreadable();
  const { version: found, local, remote } = decodeProtobuf(scannableShape, input);
  if (found === undefined) throw unreadable();
  if (found !== version) return "wrong_version";
  if (local === undefined || remote === undefined) throw unreadable();
  return { local: contentOf(local), remote: contentOf(remote) };
}

function contentOf(half: Uint8Array): Uint8Array {
  const { content } = decodeProtobuf(halfShape, half);
  if (content?.length !== fingerprintLength) throw unreadable();
  return content;
}

function unreadable(): ProtocolError {
  return new ProtocolError("invalid_message", "This is not a safety number.");
}
