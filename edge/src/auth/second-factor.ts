import { acceptRecoveryCode, acceptTotpStep, type CredentialsRow } from "../db/accounts.ts";
import type { Database } from "../db/port.ts";
import type { Env } from "../platform/env.ts";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";
import { admit, failedSecondFactors, forgive } from "./limits.ts";
import { hashRecoveryCode } from "./recovery-codes.ts";
import { openTotpSecret, totpStep } from "./totp.ts";

/**
 * Checks the second factor of an account that has one: a code of the authenticator or a recovery code. Either is good once, also when
 * it is sent many times at once. Refuses with `totp_invalid` or `rate_limited`.
 */
export async function checkSecondFactor(
  env: Env,
  db: Database,
  account: CredentialsRow,
  code: string,
): Promise<Outcome<undefined>> {
  const limit = [await failedSecondFactors(env, account.id)];
  const admitted = await admit(db, limit);
  if (!admitted.ok) return admitted;
  const accepted = code.includes("-")
    ? await takeRecoveryCode(env, db, account, code)
    : await takeTotpCode(env, db, account, code);
  if (!accepted) return refuse("totp_invalid", "this code is wrong, too old or used");
  await forgive(db, limit);
  return ok();
}

async function takeTotpCode(
  env: Env,
  db: Database,
  { id, totp_secret }: CredentialsRow,
  code: string,
): Promise<boolean> {
  if (totp_secret === null) return false;
  const step = await totpStep(await openTotpSecret(env.TOTP_KEY, id, totp_secret), code, Date.now());
  return step !== undefined && (await db.query(acceptTotpStep, [id, totp_secret, step])).length > 0;
}

async function takeRecoveryCode(env: Env, db: Database, { id }: CredentialsRow, code: string): Promise<boolean> {
  return (await db.query(acceptRecoveryCode, [id, await hashRecoveryCode(env.TOTP_KEY, id, code)])).length > 0;
}
