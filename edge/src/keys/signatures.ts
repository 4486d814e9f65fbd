import {
  type DeviceBinding,
  deviceBindingBytes,
  type DeviceList,
  deviceListBytes,
} from "@lescopains/protocol/device-list";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";
import { verifierOf } from "./xeddsa.ts";

/** What an identity key has signed. Base64, as it came. */
export interface SignedThings {
  readonly list?: { readonly deviceList: DeviceList; readonly deviceListSignature: string };
  /** That a sign-in speaks for a device. */
  readonly binding?: DeviceBinding & { readonly bindingSignature: string };
  readonly keys: readonly { readonly publicKey: string; readonly signature: string }[];
}

/** Whether all of it is signed by the identity key: `signature_invalid` names what is not. */
export async function verifySignatures(
  identityKey: string,
  { list, binding, keys }: SignedThings,
): Promise<Outcome<undefined>> {
  const verifier = verifierOf(bytes(identityKey));
  if (verifier === null) return refuse("signature_invalid", "the identity key is not a key");
  if (list !== undefined) {
    const listed = await verifier.verify(deviceListBytes(list.deviceList), bytes(list.deviceListSignature));
    if (!listed) return refuse("signature_invalid", "the device list is not signed by the identity key");
  }
  if (binding !== undefined) {
    const bound = await verifier.verify(deviceBindingBytes(binding), bytes(binding.bindingSignature));
    if (!bound) return refuse("signature_invalid", "the identity key has not signed that this session has the device");
  }
  const verified = await Promise.all(
    keys.map(({ publicKey, signature }) => verifier.verify(bytes(publicKey), bytes(signature))),
  );
  return verified.every(Boolean) ? ok() : refuse("signature_invalid", "a prekey is not signed by the identity key");
}

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
