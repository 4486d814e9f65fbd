import type { Message } from "@lescopains/protocol/entities";
import type { ChannelId, MessageId, UserId } from "@lescopains/protocol/ids";
import type { CiphertextType, DeviceCiphertext } from "@lescopains/protocol/ciphertext";
import type { DeviceAddress, ListVersions } from "@lescopains/protocol/keys";
import type { DeviceId } from "@lescopains/protocol/device-list";
import { base64 } from "./bytes.ts";
import { statement } from "./port.ts";

/*
 * Messages of direct conversations: a row of `messages` without content, or with one sender-key ciphertext for all, and a row of
 * `dm_messages` for each device that has not acknowledged it.
 */

/** Type of a sender-key message. */
export const SENDER_KEY = 7;

/** Whom a sealed message is for: its own columns are `people`, `targets` (devices but the sending one), `versions`, `sender`, `given`. */
const AUDIENCE = `people AS (
     SELECT user_id FROM dm_participants WHERE channel_id = $1
   ), targets AS (
     SELECT d.user_id, d.device_id FROM people JOIN devices d USING (user_id) WHERE NOT (d.user_id = $2 AND d.device_id = $3)
   ), versions AS (
     SELECT l.user_id, l.version FROM people JOIN device_lists l USING (user_id)
   ), sender AS (
     SELECT FROM people JOIN devices d USING (user_id) WHERE d.user_id = $2 AND d.device_id = $3
   ), given AS (
     SELECT * FROM unnest($4::uuid[], $5::smallint[], $6::smallint[], $7::text[]) AS g (user_id, device_id, type, body)
   ), missing AS (
     SELECT user_id, device_id FROM targets t
     WHERE NOT $10::boolean AND NOT EXISTS (SELECT FROM given g WHERE g.user_id = t.user_id AND g.device_id = t.device_id)
   ), extra AS (
     SELECT user_id, device_id FROM given g
     WHERE NOT EXISTS (SELECT FROM targets t WHERE t.user_id = g.user_id AND t.device_id = g.device_id)
   ), stale AS (
     SELECT FROM versions v FULL JOIN unnest($8::uuid[], $9::integer[]) AS known (user_id, version) USING (user_id)
     WHERE $10 AND v.version IS DISTINCT FROM known.version
   ), blocked AS (
     SELECT FROM dm_channels c JOIN friendships f ON f.status = 'blocked'
       AND ((f.user_id = c.low_user AND f.friend_id = c.high_user) OR (f.user_id = c.high_user AND f.friend_id = c.low_user))
     WHERE c.channel_id = $1
   ), fitting AS (
     SELECT WHERE EXISTS (SELECT FROM sender) AND EXISTS (SELECT FROM targets WHERE user_id <> $2) AND NOT EXISTS (SELECT FROM blocked)
       AND NOT EXISTS (SELECT FROM missing) AND NOT EXISTS (SELECT FROM extra) AND NOT EXISTS (SELECT FROM stale)
   )`;

const address = `json_agg(json_build_object('userId', user_id, 'deviceId', device_id))`;
const VERDICT = `EXISTS (SELECT FROM sender) AS sender, EXISTS (SELECT FROM targets WHERE user_id <> $2) AS audience,
     EXISTS (SELECT FROM blocked) AS blocked, EXISTS (SELECT FROM fitting) AS fits,
     coalesce((SELECT ${address} FROM missing), '[]') AS missing, coalesce((SELECT ${address} FROM extra), '[]') AS extra,
     coalesce((SELECT json_object_agg(user_id, version) FROM versions), '{}') AS versions`;

/** Whether a sealed message is for exactly the devices of now. */
export interface Verdict {
  /** The sending device exists, and its person is in the conversation. */
  readonly sender: boolean;
  /** Somebody else has a device. */
  readonly audience: boolean;
  readonly blocked: boolean;
  readonly fits: boolean;
  readonly missing: DeviceAddress[];
  readonly extra: DeviceAddress[];
  readonly versions: ListVersions;
}

/** What a sealed message says about its audience. Only one of ciphertexts and versions is there; `shared` says which. */
export type AudienceValues = [
  channelId: ChannelId,
  userId: UserId,
  deviceId: DeviceId,
  toUsers: UserId[],
  toDevices: DeviceId[],
  types: CiphertextType[],
  bodies: string[],
  versionUsers: UserId[],
  versions: number[],
  shared: boolean,
];

/** For what is passed on and not stored. */
export const judgeSealed = statement<AudienceValues, Verdict>("sealed.judge", `WITH ${AUDIENCE} SELECT ${VERDICT}`);

export interface SealedRow extends Verdict {
  readonly id: MessageId | null;
  readonly seq: number | null;
  readonly createdAt: string | null;
  /** The nonce was stored before: this is the first result. */
  readonly known: boolean;
}

/**
 * Stores a sealed message with its ciphertexts, or nothing. A device that is revoked meanwhile makes it fail as a whole (`foreign_key`).
 * After the audience: id, nonce, the ciphertext for all or ''.
 */
export const insertSealed = statement<[...AudienceValues, id: MessageId, nonce: string, content: string], SealedRow>(
  "sealed.insert",
  `WITH ${AUDIENCE}, known AS (
     SELECT id, seq, created_at FROM messages WHERE author_id = $2 AND channel_id = $1 AND nonce = $12
   ), place AS (
     UPDATE channels SET last_seq = last_seq + 1, message_seq = last_seq + 1
     WHERE id = $1 AND EXISTS (SELECT FROM fitting) AND NOT EXISTS (SELECT FROM known) RETURNING last_seq
   ), stored AS (
     INSERT INTO messages (id, channel_id, seq, changed_seq, author_id, sender_device_id, nonce, content, encrypted)
     SELECT $11::uuid, $1, last_seq, last_seq, $2, $3, $12, $13, true FROM place
     RETURNING id, seq, created_at
   ), kept AS (
     INSERT INTO dm_messages (channel_id, seq, user_id, device_id, sender_id, type, ciphertext)
     SELECT $1, place.last_seq, t.user_id, t.device_id, $2, coalesce(g.type, ${SENDER_KEY}), decode(g.body, 'base64')
     FROM place, targets t LEFT JOIN given g ON g.user_id = t.user_id AND g.device_id = t.device_id
   )
   SELECT one.id, one.seq, one.created_at AS "createdAt", coalesce(one.known, false) AS known, ${VERDICT}
   FROM (SELECT) AS always LEFT JOIN (
     SELECT id, seq, created_at, false AS known FROM stored UNION ALL SELECT id, seq, created_at, true FROM known
   ) AS one ON true`,
);

/** A message as one device ($4, $5) sees it: what waits for it is looked up for each message, and no more of it read. */
const SEALED = `m.id, m.channel_id AS "channelId", m.seq, m.changed_seq AS "changedSeq", m.author_id AS "authorId", '' AS content,
  m.content_type AS "contentType", m.encrypted, m.metadata, m.nonce, m.reply_to_id AS "replyTo", m.parent_message_id AS "threadId",
  m.created_at AS "createdAt", m.edited_at AS "editedAt", m.deleted_at IS NOT NULL AS deleted, '[]'::json AS reactions,
  m.sender_device_id AS "senderDeviceId",
  CASE WHEN d.seq IS NOT NULL THEN json_build_object('type', d.type, 'body', coalesce(${base64("d.ciphertext")}, m.content)) END AS ciphertext
  FROM messages m LEFT JOIN LATERAL (
    SELECT seq, type, ciphertext FROM dm_messages
    WHERE channel_id = m.channel_id AND seq = m.seq AND user_id = $4 AND device_id = $5 LIMIT 1
  ) AS d ON true`;

/** As `historyBefore`, for a device of a person. */
export const sealedBefore = statement<
  [ChannelId, before: number, limit: number, UserId, DeviceId | null, after: number],
  Message
>(
  "sealed.before",
  `SELECT ${SEALED} WHERE m.channel_id = $1 AND m.seq < $2 AND m.seq > $6 ORDER BY m.seq DESC LIMIT $3`,
);

export const sealedAfter = statement<[ChannelId, after: number, limit: number, UserId, DeviceId | null], Message>(
  "sealed.after",
  `SELECT ${SEALED} WHERE m.channel_id = $1 AND m.seq > $2 ORDER BY m.seq LIMIT $3`,
);

/** As `changedSince`. */
export const sealedSince = statement<
  [ChannelId, since: number, limit: number, UserId, DeviceId | null, joined: number],
  Message
>(
  "sealed.since",
  `SELECT ${SEALED} WHERE m.channel_id = $1 AND m.changed_seq > $2 AND m.seq > $6 ORDER BY m.changed_seq LIMIT $3`,
);

/** Every ciphertext that waits of some messages: for readers who were not told of them. */
export const waitingCiphertexts = statement<[ChannelId, seqs: number[]], DeviceCiphertext & { readonly seq: number }>(
  "sealed.waiting",
  `SELECT d.seq, d.user_id AS "userId", d.device_id AS "deviceId", d.type, coalesce(${base64("d.ciphertext")}, m.content) AS body
   FROM dm_messages d JOIN messages m ON m.channel_id = d.channel_id AND m.seq = d.seq
   WHERE d.channel_id = $1 AND d.seq = ANY($2::bigint[])`,
);

/**
 * A device has what came up to a number: its ciphertexts go, and a ciphertext for all with the last device that waited for it.
 * Two of these for one channel do not run at once: neither would see that it is the last.
 */
export const dropReceived = statement<[ChannelId, UserId, DeviceId, upTo: number], { seq: number }>(
  "sealed.received",
  `WITH gone AS (
     DELETE FROM dm_messages WHERE channel_id = $1 AND user_id = $2 AND device_id = $3 AND seq <= $4
     RETURNING seq, ciphertext IS NULL AS shared
   )
   UPDATE messages m SET content = ''
   WHERE m.channel_id = $1 AND m.seq = ANY(ARRAY(SELECT seq FROM gone WHERE shared)) AND NOT EXISTS (
     SELECT FROM dm_messages o WHERE o.channel_id = $1 AND o.seq = m.seq AND NOT (o.user_id = $2 AND o.device_id = $3))
   RETURNING m.seq`,
);

/** Deletes what waited for too long, oldest first: a ciphertext for all goes with the first row of its message. Values: days, most rows. */
export const dropExpired = statement<[days: number, most: number], { seq: number }>(
  "sealed.expired",
  `WITH old AS (
     SELECT channel_id, seq, user_id, device_id FROM dm_messages WHERE created_at < now() - make_interval(days => $1)
     ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
   ), gone AS (
     DELETE FROM dm_messages d USING old
     WHERE d.channel_id = old.channel_id AND d.seq = old.seq AND d.user_id = old.user_id AND d.device_id = old.device_id
     RETURNING d.channel_id, d.seq, d.ciphertext IS NULL AS shared
   ), emptied AS (
     UPDATE messages m SET content = '' FROM gone
     WHERE gone.shared AND m.channel_id = gone.channel_id AND m.seq = gone.seq AND m.content <> ''
   )
   SELECT seq FROM gone`,
);
