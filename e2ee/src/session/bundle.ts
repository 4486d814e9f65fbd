import { ProtocolError } from "../errors.ts";
import { checkPublicKey, verify } from "../primitives/curve.ts";
import { checkKemPublicKey } from "../primitives/kyber1024.ts";
import type { Platform } from "../platform.ts";

/** What a server hands out of a device so that others can begin a session with it (PQXDH, 3.2). Keys with their type byte. */
export interface PreKeyBundle {
  readonly registrationId: number;
  readonly identityKey: Uint8Array;
  readonly signedPreKey: SignedPublicKey;
  readonly kyberPreKey: SignedPublicKey;
  /** Missing when the device has none left; the session is then a little less protected against replay. */
  readonly preKey?: { readonly id: number; readonly publicKey: Uint8Array } | undefined;
}

interface SignedPublicKey {
  readonly id: number;
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Refuses a bundle that a client must not use: malformed keys, or prekeys that the identity key has not signed.
 *
 * @throws ProtocolError `invalid_key` or `invalid_signature`.
 */
export async function checkBundle(platform: Platform, bundle: PreKeyBundle): Promise<void> {
  const { identityKey, signedPreKey, kyberPreKey, preKey } = bundle;
  checkPublicKey(identityKey);
  checkPublicKey(signedPreKey.publicKey);
  checkKemPublicKey(kyberPreKey.publicKey);
  if (preKey !== undefined) checkPublicKey(preKey.publicKey);
  const valid = await Promise.all(
    [signedPreKey, kyberPreKey].map(({ publicKey, signature }) => verify(platform, identityKey, publicKey, signature)),
  );
  if (valid.includes(false)) {
    throw new ProtocolError("invalid_signature", "A prekey was not signed by the identity key.");
  }
}
