import type { User } from "@lescopains/protocol/entities";
import type { SelfPatch } from "@lescopains/protocol/rest";
import type { AccessClaims } from "@lescopains/protocol/token";
import { confirmPassword } from "../auth/confirm-password.ts";
import { leaveEverything } from "../auth/leave-everything.ts";
import { hashPassword } from "../auth/passwords.ts";
import { clearRefreshCookie } from "../auth/refresh-cookie.ts";
import { revokeSessions } from "../auth/revoke.ts";
import {
  accountById,
  changePassword,
  deleteAccount,
  patchAccount,
  type SelfRow,
  serversOfMember,
  toSelf,
  toUser,
  userSeenBy,
} from "../db/accounts.ts";
import { isOperator } from "../db/operators.ts";
import type { Database } from "../db/port.ts";
import { endOtherSessions } from "../db/sessions.ts";
import { serverActor } from "../platform/actors.ts";
import type { Env } from "../platform/env.ts";
import { log } from "../platform/logger.ts";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";
import { type App, serve } from "./route.ts";

const gone = refuse("session_revoked", "this account is gone");
const changedMeanwhile = refuse("unavailable", "the account changed meanwhile: try again", { retryAfterMs: 0 });

/** `/api/users`: one's own account, and people one shares a server with. */
export function userRoutes(app: App): void {
  serve(app, "getSelf", async ({ db, user }) => {
    const [row] = await db.query(accountById, [user.sub]);
    return row === undefined ? gone : ok(toSelf(row));
  });

  serve(app, "patchSelf", async ({ env, db, user, body }) => {
    const row =
      body.password === undefined
        ? await patch(db, user, body)
        : await patchWithPassword(env, db, user, body, body.password);
    if (!row.ok) return row;
    if (body.displayName !== undefined) await tellServers(env, db, toUser(row.value));
    return ok(toSelf(row.value));
  });

  serve(app, "deleteSelf", async ({ c, env, db, user, body }) => {
    const account = await confirmPassword(env, db, user.sub, body.password);
    if (!account.ok) return account;
    const servers = await db.query(serversOfMember, [user.sub]);
    const owner = refuse("conflict", "hand over or delete the servers of this account first");
    if (servers.some(({ owned }) => owned)) return owner;
    if ((await db.query(isOperator, [user.sub])).length > 0)
      return refuse("conflict", "an operator is made one of the others first");
    const left = await leaveEverything(env, db, user.sub);
    if (!left.ok) return left;
    const deleted = await db.query(deleteAccount, [user.sub, account.value.password_hash, null]);
    if (deleted.length === 0)
      return (await db.query(serversOfMember, [user.sub])).some(({ owned }) => owned) ? owner : changedMeanwhile;
    await revokeSessions(env, user.sub, "all");
    clearRefreshCookie(c);
    return ok();
  });

  serve(app, "getUser", async ({ db, user, params }) => {
    const [row] = await db.query(userSeenBy, [params.id, user.sub]);
    return row === undefined
      ? refuse("not_found", "no such person among those you share a server with")
      : ok(toUser(row));
  });
}

/** Servers keep names in memory. One that cannot be told shows the old name until it looks the next time. */
async function tellServers(env: Env, db: Database, user: User): Promise<void> {
  const servers = await db.query(serversOfMember, [user.id]);
  const told = await Promise.allSettled(servers.map(({ server_id }) => serverActor(env, server_id).renameMember(user)));
  for (const outcome of told) {
    if (outcome.status === "rejected")
      log.error("a server was not told of a new name", outcome.reason, { userId: user.id });
  }
}

async function patch(db: Database, user: AccessClaims, body: SelfPatch): Promise<Outcome<SelfRow>> {
  const [row] = await db.query(patchAccount, [
    user.sub,
    body.displayName ?? null,
    body.email !== undefined,
    body.email ?? null,
  ]);
  return row === undefined ? gone : ok(row);
}

/** A new password needs the present one, and ends the sessions that were opened with it elsewhere. */
async function patchWithPassword(
  env: Env,
  db: Database,
  user: AccessClaims,
  body: SelfPatch,
  password: string,
): Promise<Outcome<SelfRow>> {
  if (body.currentPassword === undefined)
    return refuse("invalid_request", "currentPassword is needed to set a password");
  const account = await confirmPassword(env, db, user.sub, body.currentPassword);
  if (!account.ok) return account;
  const hash = await hashPassword(env, password);
  if (!hash.ok) return hash;
  const { password_hash } = account.value;
  const [row] = await db.query(changePassword, [
    user.sub,
    body.displayName ?? null,
    body.email !== undefined,
    body.email ?? null,
    user.sid,
    password_hash,
    hash.value,
  ]);
  if (row === undefined) return changedMeanwhile;
  // Once more: a session opened with the old password while the change was being written was not in its sight (db/sessions.ts).
  const late = await db.query(endOtherSessions, [user.sub, user.sid]);
  await revokeSessions(env, user.sub, [...row.gone, ...late.map(({ id }) => id)]);
  return ok(row);
}
