import { be64, concat, equal, utf8, wipe } from "../bytes.ts";
import { hkdf, hmac } from "../primitives/kdf.ts";

/** The ratcheted MAC key that ties every key exchange to those before it (ML-KEM Braid, 2.2). Both 32 bytes. */
export interface Authenticator {
  readonly root: Uint8Array;
  readonly macKey: Uint8Array;
}

const prefix = "Signal_PQCKA_V1_MLKEM768:";
const noSalt = new Uint8Array(32);
export const macLength = 32;

function label(what: string, epoch: number): Uint8Array {
  return concat(utf8(prefix + what), be64(epoch));
}

/** The authenticator of a session, from the key that its key agreement gave. */
export function startAuthenticator(authKey: Uint8Array): Authenticator {
  return updateAuthenticator({ root: new Uint8Array(32), macKey: new Uint8Array(32) }, 1, authKey);
}

/** The authenticator once `secret` of `epoch` is agreed. */
export function updateAuthenticator(authenticator: Authenticator, epoch: number, secret: Uint8Array): Authenticator {
  const ikm = concat(authenticator.root, secret);
  const okm = hkdf(ikm, noSalt, label("Authenticator Update", epoch), 64);
  const updated = { root: okm.slice(0, 32), macKey: okm.slice(32) };
  wipe(ikm, okm);
  return updated;
}

/** The key of an epoch, 32 bytes, from its ML-KEM secret, which is wiped. */
export function epochSecret(epoch: number, secret: Uint8Array): Uint8Array {
  const derived = hkdf(secret, noSalt, label("SCKA Key", epoch), 32);
  wipe(secret);
  return derived;
}

export function headerMac({ macKey }: Authenticator, epoch: number, header: Uint8Array): Uint8Array {
  return hmac(macKey, label("ekheader", epoch), header);
}

export function ciphertextMac({ macKey }: Authenticator, epoch: number, ct1: Uint8Array, ct2: Uint8Array): Uint8Array {
  return hmac(macKey, label("ciphertext", epoch), ct1, ct2);
}

/** Splits a payload that ends with its MAC: the content if the MAC is right, else null. */
export function withoutMac(payload: Uint8Array, macOf: (content: Uint8Array) => Uint8Array): Uint8Array | null {
  const content = payload.slice(0, payload.length - macLength);
  return equal(macOf(content), payload.subarray(payload.length - macLength)) ? content : null;
}
