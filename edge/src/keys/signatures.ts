import { type DeviceList, deviceListBytes } from "@lescopains/protocol/device-list";
import { ok, type Outcome, refuse } from "../platform/outcome.ts";
import { verifierOf } from "./xeddsa.ts";

/** What an identity key has signed. Base64, as it came. */
export interface SignedThings {
  readonly list?: { readonly deviceList: DeviceList; readonly deviceListSignature: string };
  readonly keys: readonly { readonly publicKey: string; readonly signature: string }[];
}

/** Whether all of it is signed by the identity key: `signature_invalid` names what is not. */
export async function verifySignatures(identityKey: string, { list, keys }: SignedThings): Promise<Outcome<undefined>> {
  const verifier = verifierOf(bytes(identityKey));
  if (verifier === null) return refuse("signature_invalid", "the identity key is not a key");
  if (list !== undefined) {
    const listed = await verifier.verify(deviceListBytes(list.deviceList), bytes(list.deviceListSignature));
    if (!listed) return refuse("signature_invalid", "the device list is not signed by the identity key");
  }
  const verified = await Promise.all(
    keys.map(({ publicKey, signature }) => verifier.verify(bytes(publicKey), bytes(signature))),
  );
  return verified.every(Boolean) ? ok() : refuse("signature_invalid", "a prekey is not signed by the identity key");
}

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
