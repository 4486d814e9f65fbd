import type { DeviceId } from "@lescopains/protocol/device-list";
import type { CallId, ChannelId, JoinId, ServerId, SessionId, UserId } from "@lescopains/protocol/ids";
import type { VoiceEnd, VoiceMember } from "@lescopains/protocol/voice";
import { statement } from "./port.ts";

/** A place in a voice channel or a call, as the channel's actor holds it. */
export interface SeatRow extends VoiceMember {
  readonly sessionId: SessionId;
  /** The SFU node that the person's media is for; null: not asked for yet, or lost. */
  readonly node: string | null;
  /** Media has been on a node. */
  readonly wasConnected: boolean;
  /** When the place is given up unless media comes, in ms since the epoch; null while media is there. */
  readonly dueMs: number | null;
  readonly callId: CallId | null;
  readonly ringing: UserId[] | null;
  readonly ringingUntil: string | null;
}

/** Needs `voice_sessions v`, joined with `server_members m`. */
const SEAT = `v.id AS "joinId", v.user_id AS "userId", v.session_id AS "sessionId", v.device_id AS "deviceId", v.joined_at AS since,
  v.muted, v.deafened, v.camera, v.screen AS "screenSharing", coalesce(m.voice_muted, false) AS "serverMuted",
  coalesce(m.voice_deafened, false) AS "serverDeafened", v.node, v.connected_at IS NOT NULL AS "wasConnected",
  (extract(epoch FROM v.due_at) * 1000)::bigint AS "dueMs", v.call_id AS "callId", v.ringing, v.ringing_until AS "ringingUntil"`;
const MEMBERSHIP = `LEFT JOIN server_members m ON m.server_id = v.server_id AND m.user_id = v.user_id`;

/** Who is in a channel, with where the numbering of its comings and goings stands: one row without a seat when nobody is. */
export const seatsOfChannel = statement<
  [ChannelId],
  { readonly epoch: number } & (SeatRow | { readonly joinId: null })
>(
  "voice.of_channel",
  `SELECT c.voice_epoch AS epoch, ${SEAT} FROM channels c LEFT JOIN voice_sessions v ON v.channel_id = c.id AND v.left_at IS NULL ${MEMBERSHIP}
   WHERE c.id = $1 ORDER BY v.joined_at, v.id`,
);

type RosterRow = SeatRow & { readonly channelId: ChannelId; readonly epoch: number };

/**
 * Everyone in voice channels of a person's servers and in their calls, whether or not the person may view them: one look-up for each
 * (OFFSET 0 keeps it so), however many seats there were before.
 */
export const seatsAround = statement<[UserId], RosterRow>(
  "voice.around",
  `WITH seats AS (
     SELECT v.* FROM server_members mine CROSS JOIN LATERAL (
       SELECT * FROM voice_sessions WHERE server_id = mine.server_id AND left_at IS NULL OFFSET 0
     ) AS v WHERE mine.user_id = $1
     UNION ALL
     SELECT v.* FROM dm_participants mine CROSS JOIN LATERAL (
       SELECT * FROM voice_sessions WHERE channel_id = mine.channel_id AND left_at IS NULL OFFSET 0
     ) AS v WHERE mine.user_id = $1
   )
   SELECT ${SEAT}, v.channel_id AS "channelId", c.voice_epoch AS epoch FROM seats v
   CROSS JOIN LATERAL (SELECT voice_epoch FROM channels WHERE id = v.channel_id LIMIT 1) AS c
   LEFT JOIN LATERAL (
     SELECT voice_muted, voice_deafened FROM server_members WHERE server_id = v.server_id AND user_id = v.user_id LIMIT 1
   ) AS m ON true ORDER BY v.joined_at, v.id`,
);

/** The place that a person holds, wherever. */
export const seatOf = statement<[UserId], { channelId: ChannelId; joinId: JoinId; sessionId: SessionId }>(
  "voice.of_person",
  `SELECT channel_id AS "channelId", id AS "joinId", session_id AS "sessionId" FROM voice_sessions WHERE user_id = $1 AND left_at IS NULL`,
);

/**
 * Takes a place; violates a unique key when the person holds one. The place is given up after some seconds unless media comes. No row: the channel is gone,
 * or the sign-in has ended, of which whoever ends it looks for its place afterwards: the lock lets neither miss the other.
 */
export const openSeat = statement<
  [ChannelId, JoinId, UserId, SessionId, DeviceId | null, node: string | null, dueSeconds: number],
  SeatRow & { readonly epoch: number }
>(
  "voice.open",
  `WITH held AS (
     SELECT id FROM sessions WHERE id = $4 AND user_id = $3 FOR KEY SHARE
   ), bumped AS (
     UPDATE channels SET voice_epoch = voice_epoch + 1 WHERE id = $1 AND EXISTS (SELECT FROM held) RETURNING id, server_id, voice_epoch
   ), v AS (
     INSERT INTO voice_sessions (id, channel_id, server_id, user_id, session_id, device_id, node, due_at)
     SELECT $2, id, server_id, $3, $4, $5, $6, now() + $7::integer * interval '1 second' FROM bumped RETURNING *
   )
   SELECT ${SEAT}, bumped.voice_epoch AS epoch FROM bumped, v ${MEMBERSHIP}`,
);

/** Ends places: which of them were still held, and the number of the last of these goings. */
export const closeSeats = statement<[ChannelId, JoinId[], VoiceEnd], { joinId: JoinId; epoch: number }>(
  "voice.close",
  `WITH closed AS (
     UPDATE voice_sessions SET left_at = now(), reason = $3, due_at = NULL, call_id = NULL, ringing = NULL, ringing_until = NULL
     WHERE channel_id = $1 AND id = ANY($2::uuid[]) AND left_at IS NULL RETURNING id
   ), bumped AS (
     UPDATE channels SET voice_epoch = voice_epoch + (SELECT count(*) FROM closed) WHERE id = $1 RETURNING voice_epoch
   )
   SELECT closed.id AS "joinId", bumped.voice_epoch AS epoch FROM closed, bumped`,
);

export const setFlags = statement<
  [JoinId, muted: boolean, deafened: boolean, camera: boolean, screen: boolean],
  { joinId: JoinId }
>(
  "voice.flags",
  `UPDATE voice_sessions SET muted = $2, deafened = $3, camera = $4, screen = $5 WHERE id = $1 AND left_at IS NULL RETURNING id AS "joinId"`,
);

/** A moderator's word on a member of the server. */
export const setServerFlags = statement<[ServerId, UserId, muted: boolean, deafened: boolean], { userId: UserId }>(
  "voice.server_flags",
  `UPDATE server_members SET voice_muted = $3, voice_deafened = $4 WHERE server_id = $1 AND user_id = $2 RETURNING user_id AS "userId"`,
);

/** A place's media is for this node; it has some seconds to get there. */
export const placeSeat = statement<[JoinId, node: string, dueSeconds: number], { dueMs: number }>(
  "voice.place",
  `UPDATE voice_sessions SET node = $2, due_at = now() + $3::integer * interval '1 second' WHERE id = $1 AND left_at IS NULL
   RETURNING (extract(epoch FROM due_at) * 1000)::bigint AS "dueMs"`,
);

/** Media of these places is on a node. */
export const connectSeats = statement<[ChannelId, JoinId[], node: string], { joinId: JoinId }>(
  "voice.connected",
  `UPDATE voice_sessions SET node = $3, due_at = NULL, connected_at = coalesce(connected_at, now())
   WHERE channel_id = $1 AND id = ANY($2::uuid[]) AND left_at IS NULL RETURNING id AS "joinId"`,
);

/** The node of these places is gone: they have some seconds to come to another. */
export const loseNode = statement<[ChannelId, JoinId[], dueSeconds: number], { joinId: JoinId; dueMs: number }>(
  "voice.node_lost",
  `UPDATE voice_sessions SET node = NULL, due_at = now() + $3::integer * interval '1 second'
   WHERE channel_id = $1 AND id = ANY($2::uuid[]) AND left_at IS NULL RETURNING id AS "joinId", (extract(epoch FROM due_at) * 1000)::bigint AS "dueMs"`,
);

/** Channels where something is due: a place without media, a call that nobody answered, a node that is none of these. */
export const channelsDue = statement<[nodes: string[]], { channelId: ChannelId }>(
  "voice.due",
  `SELECT DISTINCT channel_id AS "channelId" FROM voice_sessions
   WHERE left_at IS NULL AND (due_at < now() OR ringing_until < now() OR node <> ALL($1::text[]))`,
);

/** Channels with people whose media is for a node. */
export const channelsOnNode = statement<[node: string], { channelId: ChannelId }>(
  "voice.on_node",
  `SELECT DISTINCT channel_id AS "channelId" FROM voice_sessions WHERE node = $1 AND left_at IS NULL`,
);

/** Channels with people whose node is gone, and who have not come to another yet. */
export const channelsAdrift = statement<[], { channelId: ChannelId }>(
  "voice.adrift",
  `SELECT DISTINCT channel_id AS "channelId" FROM voice_sessions WHERE node IS NULL AND connected_at IS NOT NULL AND left_at IS NULL`,
);

/** Begins to call people, unless one of two has blocked the other. */
export const ring = statement<[ChannelId, JoinId, CallId, UserId[], ringSeconds: number], { until: string }>(
  "voice.ring",
  `UPDATE voice_sessions SET call_id = $3, ringing = $4, ringing_until = now() + $5::integer * interval '1 second'
   WHERE id = $2 AND left_at IS NULL AND NOT EXISTS (
     SELECT FROM dm_channels c JOIN friendships f ON f.status = 'blocked'
       AND ((f.user_id = c.low_user AND f.friend_id = c.high_user) OR (f.user_id = c.high_user AND f.friend_id = c.low_user))
     WHERE c.channel_id = $1)
   RETURNING ringing_until AS until`,
);

/** Whom a call still rings for; nobody: it is over. */
export const ringFor = statement<[JoinId, CallId, UserId[]], { joinId: JoinId }>(
  "voice.ring_for",
  `UPDATE voice_sessions SET ringing = nullif($3::uuid[], '{}'),
     ringing_until = CASE WHEN $3 = '{}' THEN NULL ELSE ringing_until END, call_id = CASE WHEN $3 = '{}' THEN NULL ELSE call_id END
   WHERE id = $1 AND call_id = $2 RETURNING id AS "joinId"`,
);

/** Deletes a part of what is older than some days. */
export const dropPast = statement<[days: number, most: number], { joinId: JoinId }>(
  "voice.drop_past",
  `DELETE FROM voice_sessions WHERE id = ANY(ARRAY(
     SELECT id FROM voice_sessions WHERE left_at < now() - $1::integer * interval '1 day' ORDER BY left_at LIMIT $2
   )) RETURNING id AS "joinId"`,
);
