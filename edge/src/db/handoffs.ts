import type { Handoff, OpenedHandoff } from "@lescopains/protocol/handoff";
import type { HandoffId, SessionId, UserId } from "@lescopains/protocol/ids";
import { base64 } from "./bytes.ts";
import { statement } from "./port.ts";

/** Opens a handoff; ended ones of anybody are swept on the way, a few at a time. No row: the session has ended. */
export const openHandoff = statement<
  [id: HandoffId, userId: UserId, sessionId: SessionId, publicKey: string, lifeSeconds: number],
  OpenedHandoff
>(
  "handoffs.open",
  `WITH ended AS (
     DELETE FROM handoffs WHERE id IN (
       SELECT id FROM handoffs WHERE expires_at <= now() ORDER BY expires_at LIMIT 100 FOR UPDATE SKIP LOCKED
     )
   ), asking AS (
     SELECT id, user_id FROM sessions WHERE id = $3 AND user_id = $2 FOR KEY SHARE
   )
   INSERT INTO handoffs (id, user_id, session_id, public_key, expires_at)
   SELECT $1, user_id, id, decode($4, 'base64'), now() + make_interval(secs => $5) FROM asking
   RETURNING id, expires_at AS "expiresAt"`,
);

/**
 * Takes a handoff back when the account has more than `most` open: asked after it was made, since of several made at once none sees the
 * others before. A row: it was one too many.
 */
export const withdrawSurplus = statement<[id: HandoffId, userId: UserId, most: number], { id: HandoffId }>(
  "handoffs.withdraw_surplus",
  `DELETE FROM handoffs
   WHERE id = $1 AND (SELECT count(*) FROM handoffs WHERE user_id = $2 AND expires_at > now()) > $3
   RETURNING id`,
);

/** Puts in what is handed over, once; the same again is no other time (`filled`). No row: there is none that is open. */
export const fillHandoff = statement<[id: HandoffId, userId: UserId, sealed: string], { filled: boolean }>(
  "handoffs.fill",
  `WITH present AS (
     SELECT id, sealed FROM handoffs WHERE id = $1 AND user_id = $2 AND expires_at > now() FOR UPDATE
   ), filled AS (
     UPDATE handoffs h SET sealed = decode($3, 'base64') FROM present
     WHERE h.id = present.id AND (present.sealed IS NULL OR present.sealed = decode($3, 'base64'))
     RETURNING h.id
   )
   SELECT EXISTS (SELECT FROM filled) AS filled FROM present`,
);

/** A handoff as a session of its account sees it; the one that opened it takes what is in it, and so ends it. */
export const takeHandoff = statement<[id: HandoffId, userId: UserId, sessionId: SessionId], Handoff>(
  "handoffs.take",
  `WITH taken AS (
     DELETE FROM handoffs WHERE id = $1 AND user_id = $2 AND session_id = $3 AND sealed IS NOT NULL AND expires_at > now()
     RETURNING public_key, expires_at, sealed
   ), seen AS (
     SELECT * FROM taken
     UNION ALL
     SELECT public_key, expires_at, NULL FROM handoffs
     WHERE id = $1 AND user_id = $2 AND expires_at > now() AND (sealed IS NULL OR session_id <> $3)
   )
   SELECT ${base64("public_key")} AS "publicKey", expires_at AS "expiresAt", ${base64("sealed")} AS sealed FROM seen`,
);
