import type { Channel, ChannelType, Server } from "@lescopains/protocol/entities";
import type { ChannelId, RoleId, ServerId, UserId } from "@lescopains/protocol/ids";
import { statement } from "./port.ts";
import type { VersionRow } from "./servers.ts";

export interface ChannelRow {
  readonly id: ChannelId;
  readonly name: string;
  readonly type: ChannelType;
  readonly topic: string | null;
  readonly position: number;
  readonly parentId: ChannelId | null;
  readonly encrypted: boolean;
  readonly createdAt: string;
}

export interface OverwriteRow {
  readonly channelId: ChannelId;
  readonly targetId: RoleId | UserId;
  readonly targetType: "role" | "member";
  readonly allow: string;
  readonly deny: string;
}

/** Where a channel stands and how far one person has read. */
export interface MarksRow {
  readonly channelId: ChannelId;
  readonly lastSeq: number;
  readonly messageSeq: number;
  readonly readSeq: number;
}

export const channelsOfServer = statement<[ServerId], ChannelRow>(
  "channels_of_server",
  `SELECT id, name, type, topic, position, parent_id AS "parentId", encrypted, created_at AS "createdAt"
   FROM channels WHERE server_id = $1 ORDER BY position, id`,
);

export const overwritesOfServer = statement<[ServerId], OverwriteRow>(
  "overwrites_of_server",
  `SELECT o.channel_id AS "channelId", o.target_id AS "targetId", o.target_type AS "targetType",
     o.allow::text AS allow, o.deny::text AS deny
   FROM channels c JOIN channel_overwrites o ON o.channel_id = c.id WHERE c.server_id = $1`,
);

/** The server that a channel belongs to; no row for direct messages and unknown channels. */
export const serverOfChannel = statement<[ChannelId], { serverId: ServerId }>(
  "server_of_channel",
  `SELECT server_id AS "serverId" FROM channels WHERE id = $1 AND server_id IS NOT NULL`,
);

/** Marks of every channel in every server of a person, viewable or not. */
export const channelMarks = statement<[UserId], MarksRow>(
  "channel_marks",
  `SELECT c.id AS "channelId", c.last_seq AS "lastSeq", c.message_seq AS "messageSeq", COALESCE(r.seq, 0) AS "readSeq"
   FROM server_members m JOIN channels c ON c.server_id = m.server_id
   LEFT JOIN read_marks r ON r.user_id = m.user_id AND r.channel_id = c.id
   WHERE m.user_id = $1`,
);

/** Marks of every channel of one server, for one person. */
export const serverMarks = statement<[UserId, ServerId], MarksRow>(
  "server_marks",
  `SELECT c.id AS "channelId", c.last_seq AS "lastSeq", c.message_seq AS "messageSeq", COALESCE(r.seq, 0) AS "readSeq"
   FROM channels c LEFT JOIN read_marks r ON r.user_id = $1 AND r.channel_id = c.id
   WHERE c.server_id = $2`,
);

/** Marks of one channel, for one person. */
export const marksOfChannel = statement<[UserId, ChannelId], MarksRow>(
  "marks_of_channel",
  `SELECT c.id AS "channelId", c.last_seq AS "lastSeq", c.message_seq AS "messageSeq", COALESCE(r.seq, 0) AS "readSeq"
   FROM channels c LEFT JOIN read_marks r ON r.user_id = $1 AND r.channel_id = c.id
   WHERE c.id = $2`,
);

/** Values: server, version, channel, name, type, topic, encrypted, parent, position. */
export const createChannel = statement<
  [ServerId, number, ChannelId, string, ChannelType, string | null, boolean, ChannelId | null, number],
  VersionRow & { readonly createdAt: string }
>(
  "create_channel",
  `WITH bumped AS (
     UPDATE servers SET version = version + 1 WHERE id = $1 AND version = $2 RETURNING id, version
   ), made AS (
     INSERT INTO channels (id, server_id, name, type, topic, encrypted, parent_id, position)
     SELECT $3::uuid, id, $4, $5, $6, $7::boolean, $8::uuid, $9::integer FROM bumped
     RETURNING created_at
   )
   SELECT bumped.version, made.created_at AS "createdAt" FROM bumped, made`,
);

/** Values: server, version, channel, name, topic, encrypted, ids and positions of all channels that move. */
export const updateChannel = statement<
  [ServerId, number, ChannelId, string, string | null, boolean, ChannelId[], number[]],
  VersionRow
>(
  "update_channel",
  `WITH bumped AS (
     UPDATE servers SET version = version + 1 WHERE id = $1 AND version = $2 RETURNING id, version
   ), changed AS (
     UPDATE channels c
     SET name = CASE WHEN c.id = $3 THEN $4 ELSE c.name END,
       topic = CASE WHEN c.id = $3 THEN $5 ELSE c.topic END,
       encrypted = c.encrypted OR (c.id = $3 AND $6::boolean),
       position = COALESCE(moved.position, c.position)
     FROM bumped, (
       SELECT id, max(position) AS position
       FROM (SELECT * FROM unnest($7::uuid[], $8::integer[]) AS m (id, position) UNION ALL SELECT $3::uuid, NULL) AS all_moved
       GROUP BY id
     ) AS moved
     WHERE c.server_id = bumped.id AND c.id = moved.id
   )
   SELECT version FROM bumped`,
);

/** With its messages. Values: server, version, channel. */
export const deleteChannel = statement<[ServerId, number, ChannelId], VersionRow>(
  "delete_channel",
  `WITH bumped AS (
     UPDATE servers SET version = version + 1 WHERE id = $1 AND version = $2 RETURNING id, version
   ), gone AS (
     DELETE FROM channels c USING bumped WHERE c.id = $3 AND c.server_id = bumped.id
   )
   SELECT version FROM bumped`,
);

/** Values: server, version, channel, target, its kind, allow, deny. */
export const putOverwrite = statement<
  [ServerId, number, ChannelId, RoleId | UserId, "role" | "member", string, string],
  VersionRow
>(
  "put_overwrite",
  `WITH bumped AS (
     UPDATE servers SET version = version + 1 WHERE id = $1 AND version = $2 RETURNING id, version
   ), put AS (
     INSERT INTO channel_overwrites (channel_id, target_id, target_type, allow, deny)
     SELECT c.id, $4::uuid, $5, $6::bigint, $7::bigint FROM channels c JOIN bumped ON c.server_id = bumped.id WHERE c.id = $3
     ON CONFLICT (channel_id, target_id)
     DO UPDATE SET target_type = EXCLUDED.target_type, allow = EXCLUDED.allow, deny = EXCLUDED.deny
   )
   SELECT version FROM bumped`,
);

/** Values: server, version, channel, target. */
export const deleteOverwrite = statement<[ServerId, number, ChannelId, RoleId | UserId], VersionRow>(
  "delete_overwrite",
  `WITH bumped AS (
     UPDATE servers SET version = version + 1 WHERE id = $1 AND version = $2 RETURNING id, version
   ), gone AS (
     DELETE FROM channel_overwrites o USING channels c, bumped
     WHERE o.channel_id = $3 AND o.target_id = $4 AND c.id = o.channel_id AND c.server_id = bumped.id
   )
   SELECT version FROM bumped`,
);

/** The same server with `lastSeq`, `messageSeq` and `readSeq` of its channels; a channel without marks is new and keeps 0. */
export function withMarks(server: Server, rows: readonly MarksRow[]): Server {
  const marks = byChannel(rows);
  return { ...server, channels: server.channels.map((channel) => marked(channel, marks.get(channel.id))) };
}

/** The same channel with its marks, when `rows` have any. */
export function withChannelMarks(channel: Channel, rows: readonly MarksRow[]): Channel {
  return marked(channel, byChannel(rows).get(channel.id));
}

function marked(channel: Channel, marks: MarksRow | undefined): Channel {
  if (marks === undefined) return channel;
  const { lastSeq, messageSeq, readSeq } = marks;
  return { ...channel, lastSeq, messageSeq, readSeq };
}

/** One person's rows fill many servers: they are indexed once. */
const INDEXED = new WeakMap<readonly MarksRow[], ReadonlyMap<ChannelId, MarksRow>>();

function byChannel(rows: readonly MarksRow[]): ReadonlyMap<ChannelId, MarksRow> {
  let index = INDEXED.get(rows);
  if (index === undefined) {
    index = new Map(rows.map((row) => [row.channelId, row]));
    INDEXED.set(rows, index);
  }
  return index;
}
