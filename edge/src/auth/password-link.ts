import { PERIODS } from "@lescopains/protocol/limits";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";
import type { PasswordLinkUse } from "@lescopains/protocol/rest";
import { readPasswordLink, usePasswordLink } from "../db/accounts.ts";
import { endSessions } from "../db/operators.ts";
import type { Database } from "../db/port.ts";
import type { Env } from "../platform/env.ts";
import { log } from "../platform/logger.ts";
import { admit, signIns } from "./limits.ts";
import { secretHash } from "./link-secret.ts";
import { hashPassword } from "./passwords.ts";
import { revokeSessions } from "./revoke.ts";

const WORKS_S = PERIODS.passwordLinkMs / 1_000;
/** A link that was used, voided, has ended or never was: nobody learns which. */
const OVER = refuse("forbidden", "this link does not work (any more): ask for another");

/** Whose new password a link sets. Refuses with `forbidden` or `rate_limited`. */
export async function readLink(
  env: Env,
  db: Database,
  address: string,
  secret: string,
): Promise<Outcome<{ username: string }>> {
  const admitted = await admit(db, [await signIns(env, address)]);
  if (!admitted.ok) return admitted;
  const [account] = await db.query(readPasswordLink, [await secretHash(secret), WORKS_S]);
  return account === undefined ? OVER : ok(account);
}

/**
 * Sets a new password by a link, and signs its account out everywhere. The password's third of a second is spent for a link that works only.
 * Refuses with `forbidden`, `rate_limited` or `unavailable`.
 */
export async function useLink(
  env: Env,
  db: Database,
  address: string,
  { secret, password }: PasswordLinkUse,
): Promise<Outcome<undefined>> {
  const link = await readLink(env, db, address, secret);
  if (!link.ok) return link;
  const hash = await hashPassword(env, password);
  if (!hash.ok) return hash;
  const [account] = await db.query(usePasswordLink, [await secretHash(secret), WORKS_S, hash.value]);
  if (account === undefined) return OVER;
  // A sign-in that was under way had not been in the sight of that statement (db/sessions.ts); later ones take the new password.
  await db.query(endSessions, [account.id]);
  await revokeSessions(env, account.id, "all");
  log.info("a link set a new password", { userId: account.id });
  return ok();
}
