import { ProtocolError } from "../errors.ts";
import { generateKeyPair, sign } from "../primitives/curve.ts";
import type { KeyPair } from "../primitives/curve.ts";
import { generateKemKeyPair } from "../primitives/kyber1024.ts";
import type { KemKeyPair } from "../primitives/kyber1024.ts";
import type { Platform } from "../platform.ts";
import { bytes, decodeProtobuf, encodeProtobuf, uint32, uint64 } from "../wire/protobuf.ts";

/** Ids of prekeys are 1 … this, then begin again: the official library's stores hold 24 bits. */
export const maxPreKeyId = 2 ** 24 - 1;

/** A one-time prekey: whoever begins a session with it uses it up. */
export interface PreKey {
  readonly id: number;
  readonly keyPair: KeyPair;
}

/** The prekey of medium life that every session begins with, signed by the identity key. Change it every 7 days. */
export interface SignedPreKey extends PreKey {
  /** 64 bytes. */
  readonly signature: Uint8Array;
  readonly createdAtMs: number;
}

/** A post-quantum prekey, one-time or of last resort, signed by the identity key. */
export interface KyberPreKey {
  readonly id: number;
  readonly keyPair: KemKeyPair;
  /** 64 bytes. */
  readonly signature: Uint8Array;
  readonly createdAtMs: number;
}

/** The account's identity, which its devices share. */
export function generateIdentity(platform: Platform): Promise<KeyPair> {
  return generateKeyPair(platform);
}

/** 1 … 16380: tells installations of a device apart, not secret. */
export function generateRegistrationId(random: Platform["random"]): number {
  const [high = 0, low = 0] = random(2);
  return 1 + (((high << 8) | low) % 16_380);
}

/** `count` one-time prekeys, numbered from `firstId` on. */
export function generatePreKeys(platform: Platform, firstId: number, count: number): Promise<PreKey[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => ({
      id: ((firstId + index - 1) % maxPreKeyId) + 1,
      keyPair: await generateKeyPair(platform),
    })),
  );
}

/** A signed prekey (X3DH, 3.2). The signature covers the key with its type byte. */
export async function generateSignedPreKey(
  platform: Platform,
  identity: KeyPair,
  id: number,
  nowMs: number,
): Promise<SignedPreKey> {
  const keyPair = await generateKeyPair(platform);
  const signature = await sign(platform, identity.privateKey, keyPair.publicKey);
  return { id, keyPair, signature, createdAtMs: nowMs };
}

/** A Kyber1024 prekey (PQXDH, 3.2). The signature covers the key with its type byte. */
export async function generateKyberPreKey(
  platform: Platform,
  identity: KeyPair,
  id: number,
  nowMs: number,
): Promise<KyberPreKey> {
  const keyPair = generateKemKeyPair(platform.random);
  const signature = await sign(platform, identity.privateKey, keyPair.publicKey);
  return { id, keyPair, signature, createdAtMs: nowMs };
}

const storedKeyShape = {
  version: uint32(1),
  id: uint32(2),
  secretKey: bytes(3),
  publicKey: bytes(4),
  signature: bytes(5),
  createdAtMs: uint64(6),
} as const;
const storedVersion = 1;

/** For storage. Holds the private key: encrypt it. */
export function encodePreKey({ id, keyPair }: PreKey): Uint8Array {
  const { privateKey, publicKey } = keyPair;
  return encodeProtobuf(storedKeyShape, { version: storedVersion, id, secretKey: privateKey, publicKey });
}

/** @throws ProtocolError `invalid_record`. */
export function decodePreKey(input: Uint8Array): PreKey {
  const { id, secretKey, publicKey } = readStored(input, 32, 33);
  return { id, keyPair: { privateKey: secretKey, publicKey } };
}

/** For storage. Holds the private key: encrypt it. */
export function encodeSignedPreKey(key: SignedPreKey): Uint8Array {
  const { privateKey, publicKey } = key.keyPair;
  return encodeProtobuf(storedKeyShape, { ...key, version: storedVersion, secretKey: privateKey, publicKey });
}

/** @throws ProtocolError `invalid_record`. */
export function decodeSignedPreKey(input: Uint8Array): SignedPreKey {
  const stored = readStored(input, 32, 33);
  const { id, secretKey, publicKey } = stored;
  return { id, keyPair: { privateKey: secretKey, publicKey }, ...readSigned(stored) };
}

/** For storage. Holds the secret key: encrypt it. */
export function encodeKyberPreKey(key: KyberPreKey): Uint8Array {
  return encodeProtobuf(storedKeyShape, { ...key, ...key.keyPair, version: storedVersion });
}

/** @throws ProtocolError `invalid_record`. */
export function decodeKyberPreKey(input: Uint8Array): KyberPreKey {
  const stored = readStored(input, 3168, 1569);
  const { id, secretKey, publicKey } = stored;
  return { id, keyPair: { secretKey, publicKey }, ...readSigned(stored) };
}

interface Stored {
  readonly id: number;
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array | undefined;
  readonly createdAtMs: number | undefined;
}

function unreadable(cause?: unknown): ProtocolError {
  return new ProtocolError("invalid_record", "The stored key cannot be read.", { cause });
}

function readStored(input: Uint8Array, secretLength: number, publicLength: number): Stored {
  let fields;
  try {
    fields = decodeProtobuf(storedKeyShape, input);
  } catch (error) {
    throw unreadable(error);
  }
  const { version, id, secretKey, publicKey, signature, createdAtMs } = fields;
  if (version !== storedVersion || id === undefined) throw unreadable();
  if (secretKey?.length !== secretLength || publicKey?.length !== publicLength) throw unreadable();
  // Copies: the caller may overwrite what it has read from.
  return { id, secretKey: secretKey.slice(), publicKey: publicKey.slice(), signature, createdAtMs };
}

function readSigned({ signature, createdAtMs }: Stored): Pick<SignedPreKey, "signature" | "createdAtMs"> {
  if (signature?.length !== 64 || createdAtMs === undefined) throw unreadable();
  return { signature: signature.slice(), createdAtMs };
}
