import type { ServerId, UserId } from "@lescopains/protocol/ids";
import type { OperatorAction, OperatorEntry, OperatorUser } from "@lescopains/protocol/operator";
import { statement } from "./port.ts";

/** Whether an account runs the instance: asked with each of an operator's requests. */
export const isOperator = statement<[UserId], { id: UserId }>(
  "operators.is",
  `SELECT id FROM users WHERE id = $1 AND operator`,
);

const USER_COLUMNS = `u.id, u.username, u.display_name AS "displayName", u.email, u.created_at AS "createdAt",
  (SELECT max(s.last_used_at) FROM sessions s WHERE s.user_id = u.id AND s.expires_at > now()) AS "lastUsedAt",
  u.operator, u.disabled_at IS NOT NULL AS disabled, u.totp_enabled_at IS NOT NULL AS "totpEnabled",
  (SELECT count(*)::integer FROM servers o WHERE o.owner_id = u.id) AS "ownedServers"`;

/** Accounts by name, of which nobody but operators may look through all: LIKE pattern in lower case (null: all), name before, most rows, which of them (null: all). */
export const accountsPage = statement<[string | null, string, number, "operators" | "disabled" | null], OperatorUser>(
  "operators.accounts",
  `WITH page AS MATERIALIZED (
     SELECT * FROM users
     WHERE username_key > $2 AND ($1::text IS NULL OR username_key LIKE $1 OR lower(display_name) LIKE $1 OR lower(email) LIKE $1)
       AND CASE $4::text WHEN 'operators' THEN operator WHEN 'disabled' THEN disabled_at IS NOT NULL ELSE true END
     ORDER BY username_key LIMIT $3
   )
   SELECT ${USER_COLUMNS} FROM page u ORDER BY u.username_key`,
);

export const accountForOperator = statement<[UserId], OperatorUser>(
  "operators.account",
  `SELECT ${USER_COLUMNS} FROM users u WHERE u.id = $1`,
);

/** A change of an account by an operator, with its line of the log: operator, account, what else `set` names. No row: nothing to change, or no operator. */
function change<More extends readonly unknown[] = []>(
  name: string,
  action: OperatorAction,
  set: string,
  where: string,
  more = "",
) {
  return statement<[UserId, UserId, ...More], { id: UserId }>(
    name,
    `WITH changed AS (
       UPDATE users u SET ${set} FROM users o WHERE u.id = $2 AND ${where} AND o.id = $1 AND o.operator
       RETURNING u.id, u.username, o.id AS operator_id, o.username AS operator_name
     )${more}, logged AS (
       INSERT INTO operator_log (operator_id, operator_name, action, subject, subject_name)
       SELECT operator_id, operator_name, '${action}', id, username FROM changed
     )
     SELECT id FROM changed`,
  );
}

/** Sessions go with it, except one that is being opened just now: `endSessions` comes after it. An operator is one no more; nobody disables themselves. */
export const disableAccount = change(
  "operators.disable",
  "user.disable",
  "disabled_at = now(), operator = false, password_link_hash = NULL",
  "u.disabled_at IS NULL AND u.id <> o.id",
  `, ended AS (DELETE FROM sessions WHERE user_id = (SELECT id FROM changed))`,
);
export const enableAccount = change(
  "operators.enable",
  "user.enable",
  "disabled_at = NULL",
  "u.disabled_at IS NOT NULL",
);
export const promoteAccount = change(
  "operators.promote",
  "user.promote",
  "operator = true, password_link_hash = NULL",
  "NOT u.operator AND u.disabled_at IS NULL",
);
/** Violates `users_last_operator` where it is the last one. */
export const demoteAccount = change("operators.demote", "user.demote", "operator = false", "u.operator");
export const resetTotp = change(
  "operators.reset_totp",
  "user.resetTotp",
  "totp_secret = NULL, totp_enabled_at = NULL, totp_last_step = 0",
  "u.totp_enabled_at IS NOT NULL",
  `, codes AS (DELETE FROM recovery_codes WHERE user_id = (SELECT id FROM changed))`,
);
/** A link for a new password: the SHA-256 of its secret besides. The one before is void. Not for operators: what stands in the log under a name is theirs. */
export const makePasswordLink = change<[Uint8Array]>(
  "operators.password_link",
  "user.passwordLink",
  "password_link_hash = $3, password_link_made_at = now(), password_link_used_at = NULL",
  "NOT u.operator AND u.disabled_at IS NULL",
);

/** Ends every session of an account. */
export const endSessions = statement<[UserId], { id: string }>(
  "operators.end_sessions",
  `DELETE FROM sessions WHERE user_id = $1 RETURNING id`,
);

/** Servers of an account that go with it. */
export const serversOwned = statement<[UserId], { serverId: ServerId }>(
  "operators.servers_owned",
  `SELECT id AS "serverId" FROM servers WHERE owner_id = $1`,
);

/** Writes a line of the log: operator, action, subject, its name, details. */
export const logAction = statement<
  [UserId, OperatorAction, string | null, string | null, string | null],
  { id: number }
>(
  "operators.log_action",
  `INSERT INTO operator_log (operator_id, operator_name, action, subject, subject_name, details)
   SELECT id, username, $2, $3, $4, $5::jsonb FROM users WHERE id = $1 AND operator RETURNING id`,
);

/** What was done, latest first: line before, most rows. */
export const logPage = statement<
  [number, number],
  Omit<OperatorEntry, "operator"> & { readonly operatorId: UserId; readonly operatorName: string }
>(
  "operators.log",
  `SELECT id, at, operator_id AS "operatorId", operator_name AS "operatorName", action, subject, subject_name AS "subjectName", details
   FROM operator_log WHERE id < $1 ORDER BY id DESC LIMIT $2`,
);

export interface StorageRow {
  readonly databaseVersion: string;
  readonly databaseBytes: number;
  readonly tables: { readonly name: string; readonly bytes: number; readonly rows: number }[];
  readonly users: number;
  readonly servers: number;
}

/** How many rows: counted where there are few, else PostgreSQL's estimate. */
function rows(table: "users" | "servers"): string {
  return `(SELECT CASE WHEN c.reltuples > 10000 THEN c.reltuples::bigint ELSE (SELECT count(*) FROM ${table}) END
    FROM pg_class c WHERE c.oid = '${table}'::regclass)`;
}

/** Sizes by PostgreSQL's own books: most tables to tell. */
export const storage = statement<[number], StorageRow>(
  "operators.storage",
  `SELECT current_setting('server_version') AS "databaseVersion", pg_database_size(current_database()) AS "databaseBytes",
     (SELECT coalesce(jsonb_agg(t), '[]') FROM (
        SELECT c.relname AS name, pg_total_relation_size(c.oid) AS bytes, 
          coalesce(nullif(pg_stat_get_live_tuples(c.oid), 0), greatest(0, c.reltuples)::bigint) AS rows
        FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
        ORDER BY bytes DESC LIMIT $1
      ) t) AS tables,
     ${rows("users")} AS users, ${rows("servers")} AS servers`,
);
