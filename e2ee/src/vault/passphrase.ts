import { be32, concat, equal, utf8, wipe } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { FixedReader } from "../fixed-layout.ts";
import { decryptGcm, encryptGcm, type GcmSubtle, importGcmKey, nonceLength } from "../primitives/aes-gcm.ts";
import { hkdf } from "../primitives/kdf.ts";
import type { Platform } from "../platform.ts";

/*
 * A passphrase is a second way to the recovery key, for who prefers to remember something:
 *
 *   Argon2id(passphrase, parameters) ─HKDF─▶ token: the server gives out the envelope for it, a few tries an hour
 *                                    ─HKDF─▶ commitment ‖ key: the envelope is commitment ‖ nonce ‖ AES-256-GCM(recovery key)
 *
 * The commitment makes one envelope open with one passphrase. AES-GCM alone would let a server build an envelope that opens with any
 * of many guesses, and learn from each attempt which half of them to keep (Len, Grubbs, Ristenpart: "Partitioning Oracle Attacks",
 * 2021).
 */
const format = 1;
const accountLength = 16;
const saltLength = 16;
const commitmentLength = 32;
const recoveryKeyLength = 32;
const tokenInfo = utf8("LesCopains vault 1 passphrase token");
const envelopeInfo = utf8("LesCopains vault 1 passphrase envelope");

/** RFC 9106. Kept on the server in the clear: a new browser needs them first. */
export interface Argon2idParameters {
  readonly memoryKiB: number;
  readonly iterations: number;
  readonly parallelism: number;
  /** 16 bytes. */
  readonly salt: Uint8Array;
}

/** 0.6 s in Chromium. Weaker ones are never used, whatever a server says: the token would be cheaper to guess. */
const recommended = { memoryKiB: 65_536, iterations: 3, parallelism: 1 };
const most = { memoryKiB: 1_048_576, iterations: 10, parallelism: 4 };

/** Argon2id 1.3 of `password`, `length` bytes: the client's library (hash-wasm), in a worker. */
export type Argon2id = (password: Uint8Array, parameters: Argon2idParameters, length: number) => Promise<Uint8Array>;

/** What a passphrase opens. */
export interface PassphraseKeys {
  /** 32 bytes. The server keeps their SHA-256, limits the tries, and hands out the envelope. */
  readonly authenticationToken: Uint8Array;
  /** 64 bytes: commitment and key. */
  readonly envelopeKey: Uint8Array;
}

/** The parameters for a new passphrase: 64 MiB, 3 iterations, a fresh salt. */
export function newPassphraseParameters(random: Platform["random"]): Argon2idParameters {
  return { ...recommended, salt: random(saltLength) };
}

/** 26 bytes: format 1 ‖ memory 4 ‖ iterations 4 ‖ parallelism 1 ‖ salt 16. */
export function encodePassphraseParameters(parameters: Argon2idParameters): Uint8Array {
  const { memoryKiB, iterations, parallelism, salt } = checkParameters(parameters);
  return concat(Uint8Array.of(format), be32(memoryKiB), be32(iterations), Uint8Array.of(parallelism), salt);
}

/**
 * Reads what a server kept.
 *
 * @throws ProtocolError `invalid_parameters` for anything weaker than 64 MiB and 3 iterations, or beyond 1 GiB, 10, 4 lanes.
 */
export function decodePassphraseParameters(bytes: Uint8Array): Argon2idParameters {
  const reader = new FixedReader(bytes, invalidParameters);
  if (reader.number(1) !== format) throw invalidParameters("format");
  const memoryKiB = reader.number(4);
  const iterations = reader.number(4);
  const parallelism = reader.number(1);
  const salt = reader.take(saltLength);
  reader.end();
  return checkParameters({ memoryKiB, iterations, parallelism, salt });
}

function checkParameters(parameters: Argon2idParameters): Argon2idParameters {
  for (const name of ["memoryKiB", "iterations", "parallelism"] as const) {
    const value = parameters[name];
    if (!Number.isInteger(value) || value < recommended[name] || value > most[name]) throw invalidParameters(name);
  }
  if (parameters.salt.length !== saltLength) throw invalidParameters("salt");
  return parameters;
}

/**
 * Argon2id, then HKDF with the account's id (16 bytes) as salt. The passphrase counts in Unicode's form NFKC and without spaces around
 * it, so that every keyboard types the same one.
 *
 * @throws ProtocolError `invalid_parameters`, `wrong_passphrase` for an empty one.
 */
export async function derivePassphraseKeys(
  argon2id: Argon2id,
  parameters: Argon2idParameters,
  passphrase: string,
  accountId: Uint8Array,
): Promise<PassphraseKeys> {
  checkParameters(parameters);
  checkAccount(accountId);
  const password = utf8(passphrase.normalize("NFKC").trim());
  if (password.length === 0) throw new ProtocolError("wrong_passphrase", "The passphrase is empty.");
  const root = await argon2id(password, parameters, 32);
  const keys = {
    authenticationToken: hkdf(root, accountId, tokenInfo, 32),
    envelopeKey: hkdf(root, accountId, envelopeInfo, commitmentLength + 32),
  };
  wipe(password, root);
  return keys;
}

/** The recovery key (32 bytes), locked with a passphrase: 93 bytes for the server. */
export async function sealRecoveryKey(
  { random, subtle }: { readonly random: Platform["random"]; readonly subtle: GcmSubtle },
  { envelopeKey }: PassphraseKeys,
  accountId: Uint8Array,
  recoveryKey: Uint8Array,
): Promise<Uint8Array> {
  checkAccount(accountId);
  if (recoveryKey.length !== recoveryKeyLength) throw new ProtocolError("invalid_key", "A recovery key has 32 bytes.");
  const nonce = random(nonceLength);
  const key = await importGcmKey(subtle, envelopeKey.subarray(commitmentLength));
  const head = concat(Uint8Array.of(format), envelopeKey.subarray(0, commitmentLength), nonce);
  return concat(head, await encryptGcm(key, nonce, recoveryKey, concat(envelopeInfo, accountId)));
}

/**
 * The other way.
 *
 * @throws ProtocolError `wrong_passphrase`; `damaged` when the passphrase is right and the rest is not.
 */
export async function openRecoveryKey(
  { subtle }: { readonly subtle: GcmSubtle },
  { envelopeKey }: PassphraseKeys,
  accountId: Uint8Array,
  envelope: Uint8Array,
): Promise<Uint8Array> {
  checkAccount(accountId);
  const reader = new FixedReader(envelope, damaged);
  if (reader.number(1) !== format) throw damaged("format");
  const commitment = reader.take(commitmentLength);
  const nonce = reader.take(nonceLength);
  const sealed = reader.take(recoveryKeyLength + 16);
  reader.end();
  if (!equal(commitment, envelopeKey.subarray(0, commitmentLength))) {
    throw new ProtocolError("wrong_passphrase", "The passphrase is wrong.");
  }
  const key = await importGcmKey(subtle, envelopeKey.subarray(commitmentLength));
  return decryptGcm(key, nonce, sealed, concat(envelopeInfo, accountId));
}

function checkAccount(accountId: Uint8Array): void {
  if (accountId.length !== accountLength) throw new ProtocolError("invalid_key", "An account id has 16 bytes.");
}

function invalidParameters(part: string): ProtocolError {
  return new ProtocolError("invalid_parameters", `The passphrase's parameters are refused: ${part}.`);
}

function damaged(part: string): ProtocolError {
  return new ProtocolError("damaged", `The locked recovery key is damaged: ${part}.`);
}
