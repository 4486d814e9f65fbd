import * as v from "valibot";
import { base64 } from "./ciphertext.ts";
import { Count } from "./entities.ts";
import { LIMITS } from "./limits.ts";

/**
 * Opens an account's vault for reading and writing, and decrypts nothing: clients derive it from the recovery key beside the keys that
 * seal, so that neither can be computed from the other. The server keeps its SHA-256.
 */
export const VaultToken = base64(32, 32);

function between(min: number, max: number) {
  return v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
}

/**
 * How a passphrase is stretched (Argon2id, RFC 9106). Clients check what a server gives them with this schema: less than the lower bounds
 * would make a passphrase easy to guess from what is derived, more than the upper ones would stall a browser.
 */
export const VaultKdf = v.object({
  salt: base64(16, 32),
  memoryKib: between(LIMITS.kdfMemoryKibMin, LIMITS.kdfMemoryKibMax),
  passes: between(LIMITS.kdfPassesMin, LIMITS.kdfPassesMax),
  parallelism: between(1, LIMITS.kdfLanesMax),
});
export type VaultKdf = v.InferOutput<typeof VaultKdf>;

const SealedRoot = base64(1, LIMITS.vaultRootBytes);

/** Makes the vault. With the token of the one that is there: seals its root anew, and its records stay. */
export const VaultBody = v.object({
  authToken: VaultToken,
  /** Null: there is no passphrase, the recovery key alone opens it. */
  kdf: v.nullable(VaultKdf),
  sealedRoot: SealedRoot,
  /** Confirms that the vault takes the place of the one that is there: all records of that one are deleted. */
  replace: v.optional(v.object({ password: v.pipe(v.string(), v.minLength(1), v.maxLength(1_024)) })),
});
export type VaultBody = v.InferOutput<typeof VaultBody>;

/** `kdf` and `sealedRoot` are null until there is a vault, `kdf` also when it has no passphrase. */
export const Vault = v.object({
  exists: v.boolean(),
  kdf: v.nullable(VaultKdf),
  sealedRoot: v.nullable(SealedRoot),
  records: Count,
  /** Of its sealed records, at most `LIMITS.vaultBytes`. */
  bytes: Count,
});
export type Vault = v.InferOutput<typeof Vault>;

/** The header that goes with requests for records. */
export const VaultHeaders = v.object({ "x-vault-token": VaultToken });

/** Chosen by the client, and seen by the server: it should say nothing. */
export const VaultRecordName = v.pipe(
  v.string(),
  v.maxLength(LIMITS.vaultNameLength),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "letters a-z, digits, dot, dash and underscore"),
);

/** Goes up by exactly 1 with each write of a record; the first is 1. */
const RecordVersion = between(1, 2_147_483_647);
const SealedRecord = base64(1, LIMITS.vaultRecordBytes);

/** Writes the version after the present one. */
export const VaultRecordBody = v.object({ version: RecordVersion, sealed: SealedRecord });
export type VaultRecordBody = v.InferOutput<typeof VaultRecordBody>;

/** `details` of the `conflict` that answers any other version: the present one, 0 when there is no such record. */
export const VaultConflict = v.object({ version: Count });

export const VaultRecord = v.object({ name: v.string(), version: RecordVersion, sealed: SealedRecord });
export type VaultRecord = v.InferOutput<typeof VaultRecord>;

/** By name, bytewise. `next`: where the next page goes on from; null: this was the last. */
export const VaultPage = v.object({ records: v.array(VaultRecord), next: v.nullable(VaultRecordName) });
export type VaultPage = v.InferOutput<typeof VaultPage>;
