import type { ChannelType, ContentType, Message } from "@lescopains/protocol/entities";
import type { ChannelId, MessageId, ServerId, UserId } from "@lescopains/protocol/ids";
import { statement } from "./port.ts";
import { REACTIONS } from "./reactions.ts";

/** A row of `messages` (m) under the wire's own names, so that it needs no translation. Its reactions are looked up for it alone. */
const MESSAGE = `id, channel_id AS "channelId", seq, changed_seq AS "changedSeq", author_id AS "authorId", content,
  content_type AS "contentType", encrypted, metadata, nonce, reply_to_id AS "replyTo", parent_message_id AS "threadId",
  created_at AS "createdAt", edited_at AS "editedAt", deleted_at IS NOT NULL AS deleted, ${REACTIONS} AS reactions`;

export interface ChannelRow {
  readonly serverId: ServerId | null;
  readonly type: ChannelType;
  readonly encrypted: boolean;
  readonly lastSeq: number;
}

export const channelById = statement<[ChannelId], ChannelRow>(
  "channel_by_id",
  `SELECT server_id AS "serverId", type, encrypted, last_seq AS "lastSeq" FROM channels WHERE id = $1`,
);

export interface StoredRow {
  /** Which input row this answers, from 1. */
  readonly n: number;
  readonly id: MessageId;
  readonly seq: number;
  readonly createdAt: string;
  /** The nonce was stored before: this is the first result, and there is nothing to broadcast. */
  readonly known: boolean;
}

/**
 * Stores a batch of one channel in order. Numbers are taken from the channel's row, whose lock orders writers, so they have no holes;
 * a (author, nonce) that is stored already takes none and is answered with its first result. An input row without an answer was not
 * stored: the message it replies to, its thread, or the channel is not there.
 */
export const insertMessages = statement<
  [
    channelId: ChannelId,
    ids: MessageId[],
    authorIds: UserId[],
    nonces: string[],
    contents: string[],
    contentTypes: ContentType[],
    metadata: (string | null)[],
    encrypted: boolean[],
    replyTo: (MessageId | null)[],
    threadIds: (MessageId | null)[],
  ],
  StoredRow
>(
  "insert_messages",
  `WITH input AS (
     SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::uuid[], $10::uuid[])
       WITH ORDINALITY AS i (id, author_id, nonce, content, content_type, metadata, encrypted, reply_to_id, parent_message_id, n)
   ), known AS (
     SELECT i.n, m.id, m.seq, m.created_at
     FROM input i JOIN messages m ON m.author_id = i.author_id AND m.channel_id = $1 AND m.nonce = i.nonce
   ), fresh AS (
     SELECT i.*, row_number() OVER (ORDER BY i.n) AS k FROM input i
     WHERE NOT EXISTS (SELECT FROM known WHERE known.n = i.n)
       AND (i.reply_to_id IS NULL OR EXISTS (SELECT FROM messages r WHERE r.id = i.reply_to_id AND r.channel_id = $1))
       AND (i.parent_message_id IS NULL
            OR EXISTS (SELECT FROM messages p WHERE p.id = i.parent_message_id AND p.channel_id = $1))
   ), place AS (
     UPDATE channels
     SET last_seq = last_seq + (SELECT count(*) FROM fresh), message_seq = last_seq + (SELECT count(*) FROM fresh)
     WHERE id = $1 AND EXISTS (SELECT FROM fresh)
     RETURNING last_seq - (SELECT count(*) FROM fresh) AS base
   ), stored AS (
     INSERT INTO messages (id, channel_id, seq, changed_seq, author_id, nonce, content, content_type, metadata, encrypted, reply_to_id,
                           parent_message_id)
     SELECT f.id, $1, place.base + f.k, place.base + f.k, f.author_id, f.nonce, f.content, f.content_type, f.metadata::jsonb, f.encrypted,
            f.reply_to_id, f.parent_message_id
     FROM fresh f, place
     RETURNING id, seq, created_at
   )
   SELECT f.n, s.id, s.seq, s.created_at AS "createdAt", false AS known FROM stored s JOIN fresh f ON f.id = s.id
   UNION ALL
   SELECT n, id, seq, created_at, true FROM known`,
);

/**
 * Changes the text of one's own message. No row: there is no such message of this author. The row is locked first: an edit that
 * waited for a deletion must see it. `IS NOT DISTINCT FROM` is no index condition, so that a generic plan finds the one row by
 * its id and does not read all that the author wrote.
 */
export const editMessage = statement<
  [ChannelId, MessageId, UserId, content: string, metadata: string | null, encrypted: boolean],
  { seq: number; editedAt: string }
>(
  "edit_message",
  `WITH target AS (
     SELECT id FROM messages
     WHERE id = $2 AND channel_id = $1 AND author_id IS NOT DISTINCT FROM $3 AND deleted_at IS NULL
     FOR UPDATE
   ), place AS (
     UPDATE channels SET last_seq = last_seq + 1 WHERE id = $1 AND EXISTS (SELECT FROM target) RETURNING last_seq
   )
   UPDATE messages m SET content = $4, metadata = $5::jsonb, encrypted = $6, edited_at = now(), changed_seq = place.last_seq
   FROM place WHERE m.id = $2
   RETURNING m.changed_seq AS seq, m.edited_at AS "editedAt"`,
);

/** Empties a message and leaves its place; its reactions, and what waited of it for devices, go. `moderator`: anyone's message, not only one's own. */
export const deleteMessage = statement<[ChannelId, MessageId, UserId, moderator: boolean], { seq: number }>(
  "delete_message",
  `WITH target AS (
     SELECT id, seq FROM messages
     WHERE id = $2 AND channel_id = $1 AND (author_id = $3 OR $4) AND deleted_at IS NULL
     FOR UPDATE
   ), dropped AS (
     DELETE FROM dm_messages d USING target WHERE d.channel_id = $1 AND d.seq = target.seq
   ), unreacted AS (
     DELETE FROM reactions r USING target WHERE r.message_id = target.id
   ), place AS (
     UPDATE channels SET last_seq = last_seq + 1 WHERE id = $1 AND EXISTS (SELECT FROM target) RETURNING last_seq
   )
   UPDATE messages m SET content = '', metadata = NULL, pinned = false, deleted_at = now(), changed_seq = place.last_seq
   FROM place WHERE m.id = $2
   RETURNING m.changed_seq AS seq`,
);

/** A page of history going back from `before` (exclusive), newest first. */
export const historyBefore = statement<[ChannelId, before: number, limit: number], Message>(
  "history_before",
  `SELECT ${MESSAGE} FROM messages m WHERE channel_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3`,
);

/** A page of history going on from `after` (exclusive), oldest first. */
export const historyAfter = statement<[ChannelId, after: number, limit: number], Message>(
  "history_after",
  `SELECT ${MESSAGE} FROM messages m WHERE channel_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
);

/** What was made, edited, reacted to or deleted after event `since`, in the order of the last change. */
export const changedSince = statement<[ChannelId, since: number, limit: number], Message>(
  "changed_since",
  `SELECT ${MESSAGE} FROM messages m WHERE channel_id = $1 AND changed_seq > $2 ORDER BY changed_seq LIMIT $3`,
);

/** Of the events after `since`, up to `upTo`, those that a message itself can tell again: not that its reactions changed last. */
export const tellableSince = statement<[ChannelId, since: number, upTo: number, limit: number], Message>(
  "tellable_since",
  `SELECT ${MESSAGE} FROM messages m
   WHERE channel_id = $1 AND changed_seq > $2 AND changed_seq <= $3 AND reacted_seq IS DISTINCT FROM changed_seq
   ORDER BY changed_seq LIMIT $4`,
);

/** Marks a channel as read up to `seq`; a mark never goes back, nor past the channel's end. */
export const markRead = statement<[UserId, ChannelId, seq: number], { seq: number }>(
  "mark_read",
  `INSERT INTO read_marks (user_id, channel_id, seq)
   SELECT $1, c.id, least($3, c.last_seq) FROM channels c WHERE c.id = $2
   ON CONFLICT (user_id, channel_id) DO UPDATE SET seq = greatest(read_marks.seq, excluded.seq)
   RETURNING seq`,
);
