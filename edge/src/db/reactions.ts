import type { ChannelId, MessageId, UserId } from "@lescopains/protocol/ids";
import { statement } from "./port.ts";

/** The reactions to the message `m` of a query, as the wire has them. */
export const REACTIONS = `coalesce((
    SELECT json_agg(json_build_object('emoji', emoji, 'userIds', people) ORDER BY since, emoji)
    FROM (SELECT emoji, json_agg(user_id ORDER BY created_at, user_id) AS people, min(created_at) AS since
          FROM reactions WHERE message_id = m.id GROUP BY emoji) AS kinds
  ), '[]')`;

/** A change of reactions takes the channel's next number when there was one (`changed`), and marks the message ($2) with it. */
const NUMBERED = `place AS (
     UPDATE channels SET last_seq = last_seq + 1 WHERE id = $1 AND EXISTS (SELECT FROM changed) RETURNING last_seq
   ), marked AS (
     UPDATE messages m SET changed_seq = place.last_seq, reacted_seq = place.last_seq FROM place WHERE m.id = $2
     RETURNING m.changed_seq
   )`;

/** The message, unless it is deleted. It is locked first: what waited for its deletion must see that. */
const TARGET = `target AS (
     SELECT id FROM messages WHERE id = $2 AND channel_id = $1 AND deleted_at IS NULL FOR UPDATE
   )`;

/** Adds a reaction. No row: no such message. `seq` null: nothing changed, for it was there, or there is no room for it (`full`). */
export const addReaction = statement<
  [ChannelId, MessageId, UserId, emoji: string, mostKinds: number, most: number],
  { seq: number | null; full: boolean }
>(
  "reactions.add",
  `WITH ${TARGET}, held AS (
     SELECT coalesce(bool_or(emoji = $4 AND user_id = $3), false) AS known,
       count(*) >= $6 OR (count(DISTINCT emoji) >= $5 AND NOT coalesce(bool_or(emoji = $4), false)) AS full
     FROM reactions WHERE message_id = $2
   ), changed AS (
     INSERT INTO reactions (message_id, user_id, emoji)
     SELECT target.id, $3, $4 FROM target, held WHERE NOT held.full
     ON CONFLICT DO NOTHING RETURNING message_id
   ), ${NUMBERED}
   SELECT (SELECT changed_seq FROM marked) AS seq, held.full AND NOT held.known AS full FROM target, held`,
);

/** Takes a reaction back. No row: no such message. `seq` null: there was none. */
export const removeReaction = statement<[ChannelId, MessageId, UserId, emoji: string], { seq: number | null }>(
  "reactions.remove",
  `WITH ${TARGET}, changed AS (
     DELETE FROM reactions r USING target WHERE r.message_id = target.id AND r.user_id = $3 AND r.emoji = $4
     RETURNING r.message_id
   ), ${NUMBERED}
   SELECT (SELECT changed_seq FROM marked) AS seq FROM target`,
);
