import type { UserId } from "@lescopains/protocol/ids";
import { PERIODS } from "@lescopains/protocol/limits";
import type { MadePasswordLink, OperatorUser, OperatorUserPatch } from "@lescopains/protocol/operator";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";
import { leaveEverything } from "../auth/leave-everything.ts";
import { newLinkSecret, secretHash } from "../auth/link-secret.ts";
import { revokeSessions } from "../auth/revoke.ts";
import { deleteAccount } from "../db/accounts.ts";
import {
  accountForOperator,
  accountsPage,
  demoteAccount,
  disableAccount,
  enableAccount,
  endSessions,
  makePasswordLink,
  promoteAccount,
  resetTotp,
  serversOwned,
} from "../db/operators.ts";
import { type Database, DatabaseError } from "../db/port.ts";
import { serverActor } from "../platform/actors.ts";
import type { Env } from "../platform/env.ts";
import { type App, serve } from "./route.ts";

const CHANGES = {
  disable: disableAccount,
  enable: enableAccount,
  promote: promoteAccount,
  demote: demoteAccount,
  resetTotp,
} as const satisfies Record<OperatorUserPatch["change"], unknown>;

const NOBODY = refuse("not_found", "no such account");
const CHANGED = refuse("conflict", "the account is not as it was: look again");
const LAST = refuse("last_operator", "somebody else must be operator first");

/** `/api/operator/users`: accounts, for who runs the instance. Nothing here tells what anybody wrote. */
export function accountRoutes(app: App): void {
  serve(app, "listAccounts", async ({ db, query }) => {
    const { search = "", only = null, after = "", limit } = query;
    const pattern = search === "" ? null : `%${search.toLowerCase().replaceAll(/[\\%_]/g, "\\$&")}%`;
    const rows = await db.query(accountsPage, [pattern, after.toLowerCase(), limit + 1, only]);
    const users = rows.slice(0, limit);
    return ok({ users, next: rows.length > limit ? (users.at(-1)?.username ?? null) : null });
  });

  serve(app, "patchAccount", ({ env, db, user, params, body }) =>
    unlessLast(() => change(env, db, user.sub, params.id, body.change)),
  );

  serve(app, "makePasswordLink", ({ db, user, params }) => link(db, user.sub, params.id));

  serve(app, "deleteAccount", ({ env, db, user, params, body }) =>
    unlessLast(() => remove(env, db, user.sub, params.id, body.ownedServers)),
  );
}

/** An instance that has an operator keeps one (migration 0010). */
async function unlessLast<T>(task: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof DatabaseError && error.constraint === "users_last_operator") return LAST;
    throw error;
  }
}

async function change(
  env: Env,
  db: Database,
  by: UserId,
  id: UserId,
  kind: OperatorUserPatch["change"],
): Promise<Outcome<OperatorUser>> {
  if (kind === "disable" && by === id) return refuse("conflict", "nobody disables themselves");
  const changed = await db.query(CHANGES[kind], [by, id]);
  if (kind === "disable" && changed.length > 0) {
    // A sign-in that was under way had not been in the sight of that statement (db/sessions.ts); later ones are refused.
    await db.query(endSessions, [id]);
    await revokeSessions(env, id, "all");
  }
  const [account] = await db.query(accountForOperator, [id]);
  if (account === undefined) return NOBODY;
  return changed.length > 0 ? ok(account) : CHANGED;
}

async function link(db: Database, by: UserId, id: UserId): Promise<Outcome<MadePasswordLink>> {
  const secret = newLinkSecret();
  if ((await db.query(makePasswordLink, [by, id, await secretHash(secret)])).length > 0)
    return ok({ secret, expiresIn: PERIODS.passwordLinkMs / 1_000 });
  const [account] = await db.query(accountForOperator, [id]);
  if (account === undefined) return NOBODY;
  return account.operator ? refuse("conflict", "an operator is made one of the others first") : CHANGED;
}

/** Deletes an account with the servers it owns, which the operator was shown the number of. */
async function remove(
  env: Env,
  db: Database,
  by: UserId,
  id: UserId,
  ownedServers: number,
): Promise<Outcome<undefined>> {
  if (by === id) return refuse("conflict", "one's own account is deleted in its settings");
  const [account] = await db.query(accountForOperator, [id]);
  if (account === undefined) return NOBODY;
  if (account.operator) return refuse("conflict", "an operator is made one of the others first");
  const owned = await db.query(serversOwned, [id]);
  if (owned.length !== ownedServers) return refuse("conflict", "the account owns another number of servers by now");
  for (const { serverId } of owned) {
    const destroyed = await serverActor(env, serverId).destroy(id);
    if (!destroyed.ok && destroyed.error.code !== "not_found") return destroyed;
  }
  const left = await leaveEverything(env, db, id);
  if (!left.ok) return left;
  if ((await db.query(deleteAccount, [id, null, by])).length === 0)
    return refuse("conflict", "the account changed meanwhile: look again");
  await revokeSessions(env, id, "all");
  return ok();
}
