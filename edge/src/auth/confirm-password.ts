import type { UserId } from "@lescopains/protocol/ids";
import { credentialsById, type CredentialsRow } from "../db/accounts.ts";
import type { Database } from "../db/port.ts";
import type { Env } from "../platform/env.ts";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";
import { admit, failedConfirmations, forgive } from "./limits.ts";
import { verifyPassword } from "./passwords.ts";

/**
 * Asks someone who is signed in for their password again, before what a borrowed screen should not be able to do.
 * Answers the account's credentials as they were verified. Refuses with `invalid_credentials`, `rate_limited` or `unavailable`.
 */
export async function confirmPassword(
  env: Env,
  db: Database,
  userId: UserId,
  password: string,
): Promise<Outcome<CredentialsRow>> {
  const limit = [await failedConfirmations(env, userId)];
  const admitted = await admit(db, limit);
  if (!admitted.ok) return admitted;
  const [account] = await db.query(credentialsById, [userId]);
  if (account === undefined) return refuse("session_revoked", "this account is gone");
  const compared = await verifyPassword(env, password, account.password_hash);
  if (compared.ok && !compared.value.matches) return refuse("invalid_credentials", "this is not the password");
  await forgive(db, limit);
  return compared.ok ? ok(account) : compared;
}
