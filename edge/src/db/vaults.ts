import type { UserId } from "@lescopains/protocol/ids";
import type { Vault, VaultKdf, VaultRecord } from "@lescopains/protocol/vault";
import { base64 } from "./bytes.ts";
import { statement } from "./port.ts";

/** Which vault of an account it is: one that takes the place of another has an id of its own. */
export type VaultId = string & { readonly __vault: true };

export const vaultOf = statement<[UserId], Omit<Vault, "exists">>(
  "vaults.of_account",
  `SELECT kdf, ${base64("sealed_root")} AS "sealedRoot", records, bytes FROM vaults WHERE user_id = $1`,
);

export const vaultLock = statement<[UserId], { id: VaultId; token_hash: Uint8Array }>(
  "vaults.lock",
  `SELECT id, token_hash FROM vaults WHERE user_id = $1`,
);

type MadeFrom = [id: VaultId, userId: UserId, tokenHash: Uint8Array, kdf: string | null, sealedRoot: string];

const MADE = `INSERT INTO vaults (id, user_id, token_hash, kdf, sealed_root)
   SELECT $1, u.id, $3, $4::jsonb, decode($5, 'base64')`;

/** Makes an account's vault. No row: there is one, or the account is gone. */
export const makeVault = statement<MadeFrom, { id: VaultId }>(
  "vaults.make",
  `${MADE} FROM (SELECT id FROM users WHERE id = $2 FOR KEY SHARE) AS u ON CONFLICT (user_id) DO NOTHING RETURNING id`,
);

/**
 * Makes an account's vault in the place of the one that is there, whose records go with it. Violates `vaults_user_id_key` when another
 * one was made at the same moment.
 */
export const replaceVault = statement<MadeFrom, { id: VaultId }>(
  "vaults.replace",
  // The count makes the deletion come first.
  `WITH gone AS (DELETE FROM vaults WHERE user_id = $2 RETURNING id)
   ${MADE} FROM (SELECT id FROM users WHERE id = $2 FOR KEY SHARE) AS u, (SELECT count(*) FROM gone) AS before RETURNING id`,
);

/** Seals the root anew. No row: the vault is gone. */
export const sealRoot = statement<[id: VaultId, kdf: string | null, sealedRoot: string], { id: VaultId }>(
  "vaults.seal_root",
  `UPDATE vaults SET kdf = $2::jsonb, sealed_root = decode($3, 'base64') WHERE id = $1 RETURNING id`,
);

/** How a write of a record went. No row at all: the vault is gone. */
export interface WrittenRow {
  /** It stands, through this write or the same one before. */
  readonly done: boolean;
  /** The version before the write; 0: there was no such record. */
  readonly version: number;
  /** The vault has room for it. */
  readonly fits: boolean;
}

/**
 * Writes the next version of a record. The lock on the vault's row orders writers, so that together they stay within its bounds; whoever
 * waited for it may have looked at the record before that, and then `version` in the last condition no longer agrees: neither `done`
 * nor a conflict, to be tried again.
 */
export const writeRecord = statement<
  [id: VaultId, name: string, version: number, sealed: string, maxBytes: number, maxRecords: number],
  WrittenRow
>(
  "vaults.write_record",
  `WITH vault AS (
     SELECT id, records, bytes FROM vaults WHERE id = $1 FOR UPDATE
   ), sent AS (
     SELECT decode($4, 'base64') AS sealed
   ), present AS (
     SELECT r.version, octet_length(r.sealed) AS bytes, CASE WHEN r.version = $3::integer THEN r.sealed = sent.sealed ELSE false END AS same
     FROM vault_records r, sent WHERE r.vault_id = $1 AND r.name = $2
   ), room AS (
     SELECT vault.id, sent.sealed FROM vault, sent
     WHERE vault.bytes + octet_length(sent.sealed) - coalesce((SELECT bytes FROM present), 0) <= $5::bigint
       AND (vault.records < $6::integer OR EXISTS (SELECT FROM present))
   ), made AS (
     INSERT INTO vault_records (vault_id, name, version, sealed)
     SELECT id, $2, 1, sealed FROM room WHERE $3 = 1 AND NOT EXISTS (SELECT FROM present)
     ON CONFLICT (vault_id, name) DO NOTHING
     RETURNING octet_length(sealed) AS grown, 1 AS added
   ), changed AS (
     UPDATE vault_records r SET version = $3, sealed = room.sealed FROM room, present
     WHERE r.vault_id = $1 AND r.name = $2 AND present.version = $3 - 1 AND r.version = $3 - 1
     RETURNING octet_length(r.sealed) - present.bytes AS grown, 0 AS added
   ), written AS (
     SELECT grown, added FROM made UNION ALL SELECT grown, added FROM changed
   ), counted AS (
     UPDATE vaults v SET bytes = v.bytes + written.grown, records = v.records + written.added FROM written WHERE v.id = $1
   )
   SELECT EXISTS (SELECT FROM written) OR coalesce((SELECT same FROM present), false) AS done,
     coalesce((SELECT version FROM present), 0) AS version, EXISTS (SELECT FROM room) AS fits
   FROM vault`,
);

/**
 * A page of records: vault, after which name, how many at most, how many bytes at most (one record at least). `fetched` is how many there
 * are from there on, up to one more than asked for. Bytes are counted without being read.
 */
export const recordsAfter = statement<
  [id: VaultId, after: string, limit: number, maxBytes: number],
  VaultRecord & { readonly fetched: number }
>(
  "vaults.records_after",
  `SELECT name, version, ${base64("sealed")} AS sealed, fetched FROM (
     SELECT name, version, sealed, row_number() OVER page AS n, sum(octet_length(sealed)) OVER page AS upto, count(*) OVER () AS fetched
     FROM (SELECT name, version, sealed FROM vault_records WHERE vault_id = $1 AND name > $2 ORDER BY name LIMIT $3::integer + 1) AS next
     WINDOW page AS (ORDER BY name ROWS UNBOUNDED PRECEDING)
   ) AS counted
   WHERE n <= $3 AND (n = 1 OR upto <= $4::bigint) ORDER BY name`,
);

/** A KDF as its column takes it. */
export function kdfJson(kdf: VaultKdf | null): string | null {
  return kdf === null ? null : JSON.stringify(kdf);
}
