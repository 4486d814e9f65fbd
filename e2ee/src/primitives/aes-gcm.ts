import { ProtocolError } from "../errors.ts";

/** What is used of WebCrypto's `crypto.subtle`. */
export interface GcmSubtle {
  importKey(
    format: "raw",
    bytes: Uint8Array<ArrayBuffer>,
    algorithm: "AES-GCM",
    extractable: boolean,
    usages: ("encrypt" | "decrypt")[],
  ): Promise<unknown>;
  encrypt(algorithm: GcmParameters, key: never, data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
  decrypt(algorithm: GcmParameters, key: never, data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
}

interface GcmParameters {
  name: "AES-GCM";
  iv: Uint8Array<ArrayBuffer>;
  additionalData: Uint8Array<ArrayBuffer>;
}

/** Bytes that a ciphertext is longer than its plaintext. */
export const tagLength = 16;
export const nonceLength = 12;

/** A key that WebCrypto holds and does not give back. It survives in IndexedDB. */
export interface GcmKey {
  readonly subtle: GcmSubtle;
  readonly handle: unknown;
}

/** AES-256-GCM (SP 800-38D) with `key`, 32 bytes. */
export async function importGcmKey(subtle: GcmSubtle, key: Uint8Array): Promise<GcmKey> {
  if (key.length !== 32) throw new ProtocolError("invalid_key", "An AES-256 key has 32 bytes.");
  const handle = await subtle.importKey("raw", owned(key), "AES-GCM", false, ["encrypt", "decrypt"]);
  return { subtle, handle };
}

/** `plaintext` encrypted, then the tag. `nonce` has 12 bytes and comes once only with this key. */
export async function encryptGcm(
  key: GcmKey,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  additionalData: Uint8Array,
): Promise<Uint8Array> {
  const parameters = { name: "AES-GCM", iv: owned(nonce), additionalData: owned(additionalData) } as const;
  return new Uint8Array(await key.subtle.encrypt(parameters, key.handle as never, owned(plaintext)));
}

/**
 * The other way.
 *
 * @throws ProtocolError `damaged` when anything differs from what was encrypted.
 */
export async function decryptGcm(
  key: GcmKey,
  nonce: Uint8Array,
  ciphertext: Uint8Array,
  additionalData: Uint8Array,
): Promise<Uint8Array> {
  const parameters = { name: "AES-GCM", iv: owned(nonce), additionalData: owned(additionalData) } as const;
  try {
    return new Uint8Array(await key.subtle.decrypt(parameters, key.handle as never, owned(ciphertext)));
  } catch (error) {
    throw new ProtocolError("damaged", "The ciphertext is not what was encrypted.", { cause: error });
  }
}

/** WebCrypto refuses shared memory; bytes of the engine never are, but their type does not say so. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : Uint8Array.from(bytes);
}
