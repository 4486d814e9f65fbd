import type { PasswordLink, Self, User } from "@lescopains/protocol/entities";
import type { ServerId, SessionId, Timestamp, UserId } from "@lescopains/protocol/ids";
import type { Registration } from "@lescopains/protocol/instance";
import { admitsWithoutUse, isLiving } from "./admission.ts";
import { statement } from "./port.ts";

/** What `SELF_COLUMNS` selects from `users u`. */
export interface SelfRow {
  readonly id: UserId;
  readonly username: string;
  readonly display_name: string;
  readonly email: string | null;
  readonly totp_enabled: boolean;
  readonly operator: boolean;
  readonly account_created_at: Timestamp;
}

export const SELF_COLUMNS = `u.id, u.username, u.display_name, u.email,
  u.totp_enabled_at IS NOT NULL AS totp_enabled, u.operator, u.created_at AS account_created_at`;

/** An account as its owner sees it. */
export function toSelf(row: SelfRow): Self {
  return {
    id: row.id,
    username: row.username,
    displayName: row.display_name,
    email: row.email,
    totpEnabled: row.totp_enabled,
    operator: row.operator,
    createdAt: row.account_created_at,
  };
}

/** What signing in, or confirming with the password, needs to know. */
export interface CredentialsRow {
  readonly id: UserId;
  readonly username: string;
  readonly password_hash: string;
  /** Sealed (auth/totp.ts); without `totp_enabled` it waits to be proved. */
  readonly totp_secret: Uint8Array | null;
  readonly totp_enabled: boolean;
  readonly disabled: boolean;
}

const CREDENTIALS_COLUMNS = `id, username, password_hash, totp_secret, totp_enabled_at IS NOT NULL AS totp_enabled,
  disabled_at IS NOT NULL AS disabled`;

/** By the name in lower case. */
export const credentialsByName = statement<[string], CredentialsRow>(
  "accounts.credentials_by_name",
  `SELECT ${CREDENTIALS_COLUMNS} FROM users WHERE username_key = $1`,
);

export const credentialsById = statement<[UserId], CredentialsRow>(
  "accounts.credentials_by_id",
  `SELECT ${CREDENTIALS_COLUMNS} FROM users WHERE id = $1`,
);

/** Whether a name, in lower case, is in use. */
export const nameTaken = statement<[string], { id: UserId }>(
  "accounts.name_taken",
  `SELECT id FROM users WHERE username_key = $1`,
);

/**
 * Makes an account and its first session, if registration admits it (db/instance.ts): user id, name, e-mail, password hash, session id, session
 * name, seconds it lives, registration unless set, code, its SHA-256. An invite of the instance is used up by one where one is needed.
 * Violates `users_username_key_key` when the name is in use. No row: not admitted (any more).
 */
export const createAccount = statement<
  [UserId, string, string | null, string, SessionId, string, number, Registration, string | null, Uint8Array | null],
  SelfRow
>(
  "accounts.create",
  `WITH used AS (
     UPDATE instance_invites i SET uses = uses + 1 FROM instance n
     WHERE i.code = $9 AND ${isLiving("i")} AND coalesce(n.registration, $8) = 'invite'
     RETURNING i.code
   ), u AS (
     INSERT INTO users (id, username, display_name, email, password_hash)
     SELECT $1, $2, $2, $3, $4 FROM instance n WHERE EXISTS (SELECT FROM used) OR ${admitsWithoutUse("n", "$8", "$9", "$10")}
     RETURNING *
   ), opened AS (
     INSERT INTO sessions (id, user_id, name, expires_at)
     SELECT $5::uuid, id, $6, now() + make_interval(secs => $7) FROM u
   )
   SELECT ${SELF_COLUMNS} FROM u`,
);

/** Replaces a password hash by one of the same password: user, the hash it replaces, the new one. */
export const rehashPassword = statement<[UserId, string, string], { id: UserId }>(
  "accounts.rehash",
  `UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING id`,
);

export const accountById = statement<[UserId], SelfRow>(
  "accounts.self",
  `SELECT ${SELF_COLUMNS} FROM users u WHERE id = $1`,
);

/** Changes names: user, display name (null: keep), whether to set the e-mail, e-mail. */
export const patchAccount = statement<[UserId, string | null, boolean, string | null], SelfRow>(
  "accounts.patch",
  `UPDATE users u SET display_name = coalesce($2, display_name), email = CASE WHEN $3 THEN $4 ELSE email END
   WHERE id = $1 RETURNING ${SELF_COLUMNS}`,
);

/**
 * Sets a new password, ends the other sessions and voids a link for a new password, with the changes of `patchAccount`: user, display name, whether to set the e-mail,
 * e-mail, the session that stays, the hash it replaces, the new hash. No row: the password is another one by now.
 */
export const changePassword = statement<
  [UserId, string | null, boolean, string | null, SessionId, string, string],
  SelfRow & { readonly gone: SessionId[] }
>(
  "accounts.change_password",
  `WITH u AS (
     UPDATE users SET display_name = coalesce($2, display_name), email = CASE WHEN $3 THEN $4 ELSE email END, password_hash = $7,
       password_link_hash = NULL
     WHERE id = $1 AND password_hash = $6 RETURNING *
   ), ended AS (
     DELETE FROM sessions WHERE user_id = (SELECT id FROM u) AND id <> $5 RETURNING id
   )
   SELECT ${SELF_COLUMNS}, ARRAY(SELECT id::text FROM ended) AS gone FROM u`,
);

/** SQL: the link of `users u` whose secret has this SHA-256 works, for so many seconds from when it was made. */
function linkWorks(hash: string, seconds: string): string {
  return `u.password_link_hash = ${hash} AND u.password_link_made_at > now() - make_interval(secs => ${seconds}) AND u.disabled_at IS NULL`;
}

/** Whose new password a link sets: SHA-256 of its secret, seconds that it works. No row: it does not. */
export const readPasswordLink = statement<[Uint8Array, number], { username: string }>(
  "accounts.password_link",
  `SELECT u.username FROM users u WHERE ${linkWorks("$1", "$2")}`,
);

/**
 * Sets a new password by a link, uses the link up and ends the sessions, except one that is being opened just now: `endSessions` comes after it.
 * SHA-256 of the link's secret, seconds that it works, the new hash. No row: it does not work (any more).
 */
export const usePasswordLink = statement<[Uint8Array, number, string], { id: UserId }>(
  "accounts.password_link_use",
  `WITH u AS (
     UPDATE users u SET password_hash = $3, password_link_hash = NULL, password_link_used_at = now() WHERE ${linkWorks("$1", "$2")} RETURNING id
   ), ended AS (
     DELETE FROM sessions WHERE user_id = (SELECT id FROM u)
   )
   SELECT id FROM u`,
);

/** When the account's last link for a new password was made, and when it was used. No row: never one. */
export const lastPasswordLink = statement<[UserId], PasswordLink>(
  "accounts.password_link_last",
  `SELECT password_link_made_at AS "madeAt", password_link_used_at AS "usedAt" FROM users WHERE id = $1 AND password_link_made_at IS NOT NULL`,
);

/** Servers a person is in. */
export const serversOfMember = statement<[UserId], { server_id: ServerId; owned: boolean }>(
  "accounts.servers",
  `SELECT m.server_id, s.owner_id = $1 AS owned FROM server_members m JOIN servers s ON s.id = m.server_id WHERE m.user_id = $1`,
);

/**
 * Deletes an account with all that hangs on it; messages stay without an author. Its envelopes leave the queues they wait in, and what it was
 * alone in goes. User, and the password hash that was verified, or the operator who does it, whose log gets a line.
 * No row: it owns a server, its password is another one by now, or that is no operator.
 */
export const deleteAccount = statement<[UserId, string | null, UserId | null], { id: UserId }>(
  "accounts.delete",
  `WITH gone AS (
     DELETE FROM users u
     WHERE u.id = $1 AND (u.password_hash = $2 OR EXISTS (SELECT FROM users o WHERE o.id = $3 AND o.operator))
       AND NOT EXISTS (SELECT FROM servers WHERE owner_id = $1)
     RETURNING u.id, u.username
   ), unqueued AS (
     UPDATE devices d SET queued = greatest(0, d.queued - e.n) FROM gone, (
       SELECT user_id, device_id, count(*)::integer AS n FROM envelopes WHERE from_user_id = $1 AND user_id <> $1 GROUP BY user_id, device_id
     ) AS e
     WHERE d.user_id = e.user_id AND d.device_id = e.device_id
   ), emptied AS (
     DELETE FROM channels c USING gone, dm_participants mine
     WHERE mine.user_id = gone.id AND c.id = mine.channel_id
       AND NOT EXISTS (SELECT FROM dm_participants o WHERE o.channel_id = mine.channel_id AND o.user_id <> mine.user_id)
   ), logged AS (
     INSERT INTO operator_log (operator_id, operator_name, action, subject, subject_name)
     SELECT o.id, o.username, 'user.delete', gone.id, gone.username FROM users o, gone WHERE o.id = $3
   )
   SELECT id FROM gone`,
);

export interface UserRow {
  readonly id: UserId;
  readonly username: string;
  readonly display_name: string;
}

export function toUser(row: UserRow): User {
  return { id: row.id, username: row.username, displayName: row.display_name };
}

/** A person, if the asking one shares a server with them or is them: whom, who asks. */
export const userSeenBy = statement<[UserId, UserId], UserRow>(
  "accounts.seen_by",
  `SELECT id, username, display_name FROM users
   WHERE id = $1 AND ($1::uuid = $2::uuid OR EXISTS (
     SELECT FROM server_members mine JOIN server_members theirs ON theirs.server_id = mine.server_id AND theirs.user_id = $1
     WHERE mine.user_id = $2
   ))`,
);

/** Keeps a secret that waits to be proved: user, sealed secret. No row: two-factor sign-in is on already. */
export const setPendingTotp = statement<[UserId, Uint8Array], { id: UserId }>(
  "accounts.totp_pending",
  `UPDATE users SET totp_secret = $2, totp_last_step = 0 WHERE id = $1 AND totp_enabled_at IS NULL RETURNING id`,
);

/** Turns two-factor sign-in on: user, the sealed secret that was proved, the step of the code, hashes of the recovery codes. */
export const enableTotp = statement<[UserId, Uint8Array, number, Uint8Array[]], { id: UserId }>(
  "accounts.totp_enable",
  `WITH u AS (
     UPDATE users SET totp_enabled_at = now(), totp_last_step = $3
     WHERE id = $1 AND totp_secret = $2 AND totp_enabled_at IS NULL RETURNING id
   ), codes AS (
     INSERT INTO recovery_codes (user_id, code_hash) SELECT u.id, hash FROM u, unnest($4::bytea[]) AS hash
   )
   SELECT id FROM u`,
);

/** Accepts the code of a time step, once: user, sealed secret, step. No row: that step or a later one was used. */
export const acceptTotpStep = statement<[UserId, Uint8Array, number], { id: UserId }>(
  "accounts.totp_step",
  `UPDATE users SET totp_last_step = $3
   WHERE id = $1 AND totp_secret = $2 AND totp_enabled_at IS NOT NULL AND totp_last_step < $3 RETURNING id`,
);

/** Accepts a recovery code, once: user, hash of the code. */
export const acceptRecoveryCode = statement<[UserId, Uint8Array], { user_id: UserId }>(
  "accounts.recovery_code",
  `DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2 RETURNING user_id`,
);

/** Ends two-factor sign-in. */
export const disableTotp = statement<[UserId], { id: UserId }>(
  "accounts.totp_disable",
  `WITH u AS (
     UPDATE users SET totp_secret = NULL, totp_enabled_at = NULL, totp_last_step = 0 WHERE id = $1 RETURNING id
   ), codes AS (
     DELETE FROM recovery_codes WHERE user_id = $1
   )
   SELECT id FROM u`,
);
