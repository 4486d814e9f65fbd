import type { SessionId, Timestamp, UserId } from "@lescopains/protocol/ids";
import { SELF_COLUMNS, type SelfRow } from "./accounts.ts";
import { type Database, statement } from "./port.ts";

/** Whether a session is there and has not ended: asked with each REST request and each new socket. */
const alive = statement<[SessionId, UserId], { id: SessionId }>(
  "sessions.alive",
  `SELECT id FROM sessions WHERE id = $1 AND user_id = $2 AND expires_at > now()`,
);

/**
 * Whether the session of a token still lives. A gateway asks this after it has registered the socket under its session, so that a
 * revocation that happens in between finds either no session or the socket.
 */
export async function sessionAlive(db: Database, sessionId: SessionId, userId: UserId): Promise<boolean> {
  return (await db.query(alive, [sessionId, userId])).length > 0;
}

/** A session that was ended, and whose it was. */
export interface EndedRow {
  readonly id: SessionId;
  readonly user_id: UserId;
}

/**
 * Signs an account in: id, user, name, seconds it lives, how many others may stay, and the password hash that was verified.
 * No row: the account is gone or disabled, or its password is another one by now. The row lock makes a password change wait for us, or us
 * for it, so that no session opened with an old password outlives the change (`endOtherSessions` runs after it).
 * The sessions unused for the longest give way; ended ones of anybody are swept on the way, a few at a time.
 * The last columns are the account; `gone` are the sessions of this account that gave way.
 */
export const openSession = statement<
  [SessionId, UserId, string, number, number, string],
  SelfRow & { readonly gone: SessionId[] }
>(
  "sessions.open",
  `WITH account AS (
     SELECT * FROM users WHERE id = $2 AND password_hash = $6 AND disabled_at IS NULL FOR NO KEY UPDATE
   ), surplus AS (
     DELETE FROM sessions WHERE id IN (
       SELECT s.id FROM sessions s JOIN account a ON a.id = s.user_id
       WHERE s.expires_at > now() ORDER BY s.last_used_at DESC, s.id DESC OFFSET $5
     ) RETURNING id
   ), ended AS (
     DELETE FROM sessions WHERE id IN (
       SELECT id FROM sessions WHERE expires_at <= now() ORDER BY expires_at LIMIT 100 FOR UPDATE SKIP LOCKED
     )
   ), opened AS (
     INSERT INTO sessions (id, user_id, name, expires_at)
     SELECT $1::uuid, id, $3, now() + make_interval(secs => $4) FROM account
   )
   SELECT ${SELF_COLUMNS}, ARRAY(SELECT id::text FROM surplus) AS gone FROM account u`,
);

/**
 * Moves a session to its next refresh token: id, presented generation, seconds it lives from now. No row: not the valid token. A later one than
 * is known was made before the database was restored from a backup, and is the one that its browser has.
 */
export const rotateSession = statement<[SessionId, number, number], SelfRow & { readonly generation: number }>(
  "sessions.rotate",
  `UPDATE sessions s
   SET generation = $2 + 1, last_used_at = now(), expires_at = now() + make_interval(secs => $3)
   FROM users u
   WHERE s.id = $1 AND s.generation <= $2 AND s.expires_at > now() AND u.id = s.user_id
   RETURNING ${SELF_COLUMNS}, s.generation`,
);

/** Ends a session of which an old refresh token was presented: id, the presented generation. */
export const endReusedSession = statement<[SessionId, number], EndedRow>(
  "sessions.end_reused",
  `DELETE FROM sessions WHERE id = $1 AND generation > $2 RETURNING id, user_id`,
);

/** Ends a session whose refresh token, of whatever generation, is shown: signing out. */
export const endSession = statement<[SessionId], EndedRow>(
  "sessions.end",
  `DELETE FROM sessions WHERE id = $1 RETURNING id, user_id`,
);

/** Ends a session of the account: id, user. */
export const endOwnSession = statement<[SessionId, UserId], EndedRow>(
  "sessions.end_own",
  `DELETE FROM sessions WHERE id = $1 AND user_id = $2 RETURNING id, user_id`,
);

/** Ends all sessions of the account but one: user, the session that stays. */
export const endOtherSessions = statement<[UserId, SessionId], EndedRow>(
  "sessions.end_others",
  `DELETE FROM sessions WHERE user_id = $1 AND id <> $2 RETURNING id, user_id`,
);

export interface SessionRow {
  readonly id: SessionId;
  readonly name: string;
  readonly created_at: Timestamp;
  readonly last_used_at: Timestamp;
}

/** Where the account is signed in, last used first. */
export const listSessions = statement<[UserId], SessionRow>(
  "sessions.list",
  `SELECT id, name, created_at, last_used_at FROM sessions
   WHERE user_id = $1 AND expires_at > now() ORDER BY last_used_at DESC, id DESC`,
);
