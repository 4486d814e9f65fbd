import type { UserId } from "@lescopains/protocol/ids";
import type { Database } from "../db/port.ts";
import { type VaultId, vaultLock } from "../db/vaults.ts";
import type { Env } from "../platform/env.ts";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";
import { admit, failedVaultTokens, forgive } from "./limits.ts";

/** What is kept of a token (base64): 256 bits that nobody chose need no slow hash, and of those from a passphrase the client's KDF took the time. */
export async function hashVaultToken(token: string): Promise<Uint8Array> {
  const bytes = Uint8Array.from(atob(token), (char) => char.charCodeAt(0));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** The account's vault, for who brings its token. Refuses with `vault_locked`, also when there is none, or `rate_limited`. */
export async function openVault(env: Env, db: Database, userId: UserId, token: string): Promise<Outcome<VaultId>> {
  const limit = [await failedVaultTokens(env, userId)];
  const admitted = await admit(db, limit);
  if (!admitted.ok) return admitted;
  const [hash, [vault]] = await Promise.all([hashVaultToken(token), db.query(vaultLock, [userId])]);
  if (vault === undefined || !crypto.subtle.timingSafeEqual(hash, vault.token_hash)) {
    return refuse("vault_locked", "this token does not open the account's vault");
  }
  await forgive(db, limit);
  return ok(vault.id);
}
