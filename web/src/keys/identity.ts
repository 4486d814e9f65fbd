import { concat } from "@lescopains/e2ee/bytes";
import { toBase64 } from "./base64.ts";
import { refusal } from "./kit.ts";
import { KEY } from "./records.ts";
import { bytesCodec } from "./store/codec.ts";
import type { Unit } from "./store/store.ts";

/** The account's key pair, which its devices share. */
export interface Identity {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

const PRIVATE_BYTES = 32;

/** How an identity is kept, and goes from browser to browser. */
export function identityBytes({ privateKey, publicKey }: Identity): Uint8Array {
  return concat(privateKey, publicKey);
}

export function splitIdentity(bytes: Uint8Array): Identity {
  return { privateKey: bytes.subarray(0, PRIVATE_BYTES), publicKey: bytes.subarray(PRIVATE_BYTES) };
}

/** The identity that this browser's device has. @throws KeysError `storage_failed` without one. */
export async function keptIdentity(unit: Unit): Promise<Identity> {
  const bytes = await unit.get(KEY.identity, bytesCodec);
  if (bytes === undefined) throw refusal("storage_failed", "the identity of this browser's device is gone");
  return splitIdentity(bytes);
}

/** @throws KeysError `list_refused`: one's own identity is the one that is kept here, whatever the server says. */
export async function checkOwnIdentity(unit: Unit, identityKey: string): Promise<void> {
  const { publicKey } = await keptIdentity(unit);
  if (toBase64(publicKey) !== identityKey) throw refusal("list_refused", "not our identity");
}
