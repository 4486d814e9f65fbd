import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { bytesToNumberLE, numberToBytesLE } from "@noble/curves/utils.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { concat, equal, wipe } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import type { Platform } from "../platform.ts";

/** What stands before a public key on the wire. */
const typeByte = 0x05;
const keyLength = 33;
const { Point } = ed25519;
const { Fp, Fn } = Point;

/** A Curve25519 pair: `privateKey` of 32 clamped bytes, `publicKey` of 33 with its type byte. */
export interface KeyPair {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** A new key pair, from 32 random bytes. */
export async function generateKeyPair(platform: Platform): Promise<KeyPair> {
  const privateKey = platform.random(32);
  privateKey[0]! &= 248;
  privateKey[31]! &= 127;
  privateKey[31]! |= 64;
  return { privateKey, publicKey: await publicKeyOf(platform, privateKey) };
}

/** The public key (33 bytes) of a private one (32 bytes). */
export async function publicKeyOf(platform: Platform, privateKey: Uint8Array): Promise<Uint8Array> {
  return concat(Uint8Array.of(typeByte), await platform.curve.x25519(privateKey, x25519.GuBytes));
}

/**
 * The agreement of a private key (32 bytes) and somebody's public key (33 bytes): 32 bytes.
 *
 * @throws ProtocolError `invalid_key` for a public key that `checkPublicKey` refuses.
 */
export async function agree(platform: Platform, privateKey: Uint8Array, publicKey: Uint8Array): Promise<Uint8Array> {
  const secret = await platform.curve.x25519(privateKey, checkPublicKey(publicKey).subarray(1));
  if (equal(secret, new Uint8Array(32))) throw new ProtocolError("invalid_key", "The agreement gives nothing.");
  return secret;
}

/** The u-coordinates below p whose order divides 8, on the curve or its twist: agreement with them gives zero. */
const lowOrder = new Set([
  0n,
  1n,
  Fp.ORDER - 1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
]);

/**
 * Gives `bytes` back if it is a public key: the type byte, then a canonical u-coordinate that is not of low order.
 *
 * The official library refuses low order in agreements and other encodings of a coordinate in base keys; here both are refused
 * wherever a key comes in, since nobody makes such a key by accident.
 *
 * @throws ProtocolError `invalid_key`.
 */
export function checkPublicKey(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== keyLength || bytes[0] !== typeByte) {
    throw new ProtocolError("invalid_key", "The public key has a wrong type or length.");
  }
  const u = bytesToNumberLE(bytes.subarray(1));
  if (u >= Fp.ORDER) throw new ProtocolError("invalid_key", "The public key is not canonical.");
  if (lowOrder.has(u)) throw new ProtocolError("invalid_key", "The public key is of low order.");
  return bytes;
}

/**
 * `checkPublicKey`, and the key lies in the group that private keys generate: on the curve and without a torsion part. Asked of
 * the base key of a PreKey message, so that a session has one base key and not eight that agree alike. Takes about a
 * millisecond.
 *
 * @throws ProtocolError `invalid_key`.
 */
export function checkBaseKey(bytes: Uint8Array): Uint8Array {
  let inGroup = false;
  try {
    inGroup = Point.fromBytes(edwardsKey(checkPublicKey(bytes), 0)).isTorsionFree();
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
  }
  if (!inGroup) throw new ProtocolError("invalid_key", "The base key is outside the group.");
  return bytes;
}

/** 2^256 − 2, little-endian: no hash of a key pair starts like this (XEdDSA, 2.5: hash1). */
const hash1Prefix = new Uint8Array(32).fill(0xff);
hash1Prefix[0] = 0xfe;

/**
 * An XEdDSA signature (64 bytes) of `message` with a Curve25519 private key, in the variant of the Signal Protocol: the private
 * scalar is not negated; the sign of the Edwards key travels in the top bit of the signature instead.
 */
export async function sign(platform: Platform, privateKey: Uint8Array, message: Uint8Array): Promise<Uint8Array> {
  const scalarBytes = Uint8Array.from(privateKey);
  scalarBytes[0]! &= 248;
  scalarBytes[31]! &= 127;
  scalarBytes[31]! |= 64;
  const a = Fn.create(bytesToNumberLE(scalarBytes));
  const publicKey = Point.BASE.multiply(a).toBytes();
  const salt = platform.random(64);
  const secretInput = concat(hash1Prefix, scalarBytes, message, salt);
  const nonce = sha512(secretInput);
  const r = Fn.create(bytesToNumberLE(nonce));
  wipe(scalarBytes, salt, secretInput, nonce);
  const commitment = Point.BASE.multiply(r).toBytes();
  const h = Fn.create(bytesToNumberLE(sha512(concat(commitment, publicKey, message))));
  const signature = concat(commitment, numberToBytesLE(Fn.add(r, Fn.mul(h, a)), 32));
  signature[63]! |= publicKey[31]! & 0x80;
  return signature;
}

/**
 * Whether `signature` (XEdDSA, section 2.3) is of `message` and by the owner of `publicKey` (33 bytes). Anything malformed,
 * the key included, is false.
 */
export async function verify(
  platform: Platform,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (signature.length !== 64 || (signature[63]! & 0x60) !== 0) return false;
  let key: Uint8Array;
  try {
    key = edwardsKey(checkPublicKey(publicKey), signature[63]! & 0x80);
  } catch {
    return false;
  }
  // XEdDSA takes an s of up to 253 bits, RFC 8032 only a reduced one. The hash does not cover s, so reducing it is enough.
  const s = Uint8Array.from(signature.subarray(32));
  s[31]! &= 0x7f;
  const reduced = numberToBytesLE(Fn.create(bytesToNumberLE(s)), 32);
  return platform.curve.verifyEd25519(key, message, concat(signature.subarray(0, 32), reduced));
}

/** The Edwards form of a checked public key: y = (u − 1) / (u + 1), with the sign of x in the top bit (XEdDSA, 2.3). */
function edwardsKey(publicKey: Uint8Array, signBit: number): Uint8Array {
  const u = bytesToNumberLE(publicKey.subarray(1));
  const bytes = Fp.toBytes(Fp.div(Fp.sub(u, Fp.ONE), Fp.add(u, Fp.ONE)));
  bytes[31]! |= signBit;
  return bytes;
}
