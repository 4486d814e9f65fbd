import { LIMITS } from "@lescopains/protocol/limits";
import type { VaultBody } from "@lescopains/protocol/vault";
import type { UserId } from "@lescopains/protocol/ids";
import { v4 } from "uuid";
import { confirmPassword } from "../auth/confirm-password.ts";
import { hashVaultToken, openVault } from "../auth/vault-token.ts";
import { type Database, DatabaseError } from "../db/port.ts";
import {
  kdfJson,
  makeVault,
  recordsAfter,
  replaceVault,
  sealRoot,
  type VaultId,
  vaultOf,
  writeRecord,
} from "../db/vaults.ts";
import type { Env } from "../platform/env.ts";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";
import { type App, serve } from "./route.ts";

const NO_VAULT = { exists: false, kdf: null, sealedRoot: null, records: 0, bytes: 0 };
const gone = refuse("vault_locked", "the vault is another one by now");
const tryAgain = refuse("unavailable", "the vault changed meanwhile: try again", { retryAfterMs: 0 });

/** `/api/vault`: sealed records of an account's identity and history. */
export function vaultRoutes(app: App): void {
  serve(app, "getVault", async ({ db, user }) => {
    const [vault] = await db.query(vaultOf, [user.sub]);
    return ok(vault === undefined ? NO_VAULT : { exists: true, ...vault });
  });

  serve(app, "putVault", async ({ env, db, user, body }) => {
    if (body.replace !== undefined) {
      const confirmed = await confirmPassword(env, db, user.sub, body.replace.password);
      return confirmed.ok ? replace(db, user.sub, body) : confirmed;
    }
    const made = await db.query(makeVault, await madeFrom(user.sub, body));
    return made.length > 0 ? ok() : sealAnew(env, db, user.sub, body);
  });

  serve(app, "listVaultRecords", async ({ env, db, user, headers, query: { after, limit } }) => {
    const vault = await openVault(env, db, user.sub, headers["x-vault-token"]);
    if (!vault.ok) return vault;
    const rows = await db.query(recordsAfter, [vault.value, after ?? "", limit, LIMITS.vaultPageBytes]);
    const records = rows.map(({ name, version, sealed }) => ({ name, version, sealed }));
    const more = rows.length < (rows[0]?.fetched ?? 0);
    return ok({ records, next: more ? (records.at(-1)?.name ?? null) : null });
  });

  serve(app, "putVaultRecord", async ({ env, db, user, headers, params: { name }, body: { version, sealed } }) => {
    const vault = await openVault(env, db, user.sub, headers["x-vault-token"]);
    if (!vault.ok) return vault;
    const { vaultBytes, vaultRecords } = LIMITS;
    const [written] = await db.query(writeRecord, [vault.value, name, version, sealed, vaultBytes, vaultRecords]);
    if (written === undefined) return gone;
    if (written.done) return ok();
    if (written.version !== version - 1) {
      return refuse("conflict", "this is not the next version", { details: { version: written.version } });
    }
    return written.fits ? tryAgain : refuse("vault_full", "the vault has no room for this");
  });
}

async function madeFrom(
  userId: UserId,
  { authToken, kdf, sealedRoot }: VaultBody,
): Promise<[VaultId, UserId, Uint8Array, string | null, string]> {
  return [v4() as VaultId, userId, await hashVaultToken(authToken), kdfJson(kdf), sealedRoot];
}

/** Whoever has the token may change how the root is sealed: for another passphrase, or once more after an answer that was lost. */
async function sealAnew(
  env: Env,
  db: Database,
  userId: UserId,
  { authToken, kdf, sealedRoot }: VaultBody,
): Promise<Outcome<undefined>> {
  const vault = await openVault(env, db, userId, authToken);
  if (!vault.ok) {
    return vault.error.code === "vault_locked"
      ? refuse("conflict", "the account has a vault with another token: confirm that it is to be replaced")
      : vault;
  }
  const sealed = await db.query(sealRoot, [vault.value, kdfJson(kdf), sealedRoot]);
  return sealed.length > 0 ? ok() : tryAgain;
}

async function replace(db: Database, userId: UserId, body: VaultBody): Promise<Outcome<undefined>> {
  try {
    const made = await db.query(replaceVault, await madeFrom(userId, body));
    return made.length > 0 ? ok() : refuse("session_revoked", "this account is gone");
  } catch (error) {
    // Two replacements at the same moment, and one holds.
    if (error instanceof DatabaseError && error.kind === "unique") return tryAgain;
    throw error;
  }
}
