import type { DirectChannel, User } from "@lescopains/protocol/entities";
import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { type PermissionBits, PERMISSIONS } from "@lescopains/protocol/permissions";
import { type Database, statement } from "./port.ts";

interface DmRow {
  readonly id: ChannelId;
  readonly type: "dm" | "group_dm";
  readonly ownerId: UserId | null;
  readonly createdAt: string;
  readonly lastSeq: number;
  readonly messageSeq: number;
  readonly readSeq: number;
  readonly participants: User[];
}

/** From `dm_participants me`, with one look-up for each conversation. What was before a person came counts as read. */
const DM = `c.id, c.type, c.owner_id AS "ownerId", c.created_at AS "createdAt", c.last_seq AS "lastSeq",
  c.message_seq AS "messageSeq",
  greatest(me.joined_seq, coalesce(r.seq, 0)) AS "readSeq",
  (SELECT json_agg(json_build_object('id', u.id, 'username', u.username, 'displayName', u.display_name) ORDER BY u.id)
   FROM dm_participants p JOIN users u ON u.id = p.user_id WHERE p.channel_id = me.channel_id) AS participants
  FROM dm_participants me CROSS JOIN LATERAL (
    SELECT c.id, c.type, c.created_at, c.last_seq, c.message_seq, d.owner_id FROM channels c JOIN dm_channels d ON d.channel_id = c.id
    WHERE c.id = me.channel_id LIMIT 1
  ) AS c LEFT JOIN read_marks r ON r.user_id = me.user_id AND r.channel_id = me.channel_id`;

/** Values: person, most rows. */
const dmsOf = statement<[UserId, number], DmRow>(
  "dms.of_person",
  `SELECT ${DM} WHERE me.user_id = $1 ORDER BY me.channel_id DESC LIMIT $2`,
);

const dmOf = statement<[UserId, ChannelId], DmRow>(
  "dms.one",
  `SELECT ${DM} WHERE me.user_id = $1 AND me.channel_id = $2`,
);

/** How many direct conversations a person is in. */
export const countDms = statement<[UserId], { count: number }>(
  "dms.count",
  `SELECT count(*) AS count FROM dm_participants WHERE user_id = $1`,
);

export interface OpenedRow {
  readonly id: ChannelId;
  readonly found: boolean;
}

/** The conversation of two people, if there is one. */
export const findDm = statement<[UserId, UserId], { id: ChannelId }>(
  "dms.find_pair",
  `SELECT channel_id AS id FROM dm_channels
   WHERE low_user = least($1::uuid, $2::uuid) AND high_user = greatest($1::uuid, $2::uuid)`,
);

/** The conversation of two people, made if there is none. Values: channel, who opens it, the other. Violates a unique key when both open it at once. */
export const openDm = statement<[ChannelId, UserId, UserId], OpenedRow>(
  "dms.open_pair",
  `WITH found AS (
     SELECT channel_id FROM dm_channels WHERE low_user = least($2::uuid, $3::uuid) AND high_user = greatest($2::uuid, $3::uuid)
   ), made AS (
     INSERT INTO channels (id, name, type, encrypted) SELECT $1, '', 'dm', true WHERE NOT EXISTS (SELECT FROM found) RETURNING id
   ), dm AS (
     INSERT INTO dm_channels (channel_id, owner_id, low_user, high_user)
     SELECT id, $2, least($2::uuid, $3::uuid), greatest($2::uuid, $3::uuid) FROM made
   ), people AS (
     INSERT INTO dm_participants (channel_id, user_id) SELECT id, p FROM made, unnest(ARRAY[$2::uuid, $3::uuid]) AS p
   )
   SELECT id, false AS found FROM made UNION ALL SELECT channel_id, true FROM found`,
);

/** A new group. Values: channel, who makes it, the others. */
export const openGroup = statement<[ChannelId, UserId, UserId[]], OpenedRow>(
  "dms.open_group",
  `WITH made AS (
     INSERT INTO channels (id, name, type, encrypted) VALUES ($1, '', 'group_dm', true) RETURNING id
   ), dm AS (
     INSERT INTO dm_channels (channel_id, owner_id) SELECT id, $2 FROM made
   ), people AS (
     INSERT INTO dm_participants (channel_id, user_id) SELECT id, p FROM made, unnest(array_append($3::uuid[], $2::uuid)) AS p
   )
   SELECT id, false AS found FROM made`,
);

/** What a channel's actor holds of a direct conversation. */
export interface PeopleRow {
  readonly ownerId: UserId | null;
  readonly userId: UserId;
  readonly joinedSeq: number;
}

export const peopleOf = statement<[ChannelId], PeopleRow>(
  "dms.people",
  `SELECT d.owner_id AS "ownerId", p.user_id AS "userId", p.joined_seq AS "joinedSeq"
   FROM dm_participants p JOIN dm_channels d ON d.channel_id = p.channel_id WHERE p.channel_id = $1`,
);

/** Adds a person to a group; what has happened so far is not theirs. */
export const addPerson = statement<[ChannelId, UserId], { joinedSeq: number }>(
  "dms.add_person",
  `INSERT INTO dm_participants (channel_id, user_id, joined_seq) SELECT id, $2, last_seq FROM channels WHERE id = $1 AND type = 'group_dm'
   ON CONFLICT DO NOTHING RETURNING joined_seq AS "joinedSeq"`,
);

/** Takes a person out of a group, with what waited there for their devices. The last one to go takes the group with them. */
export const removePerson = statement<[ChannelId, UserId], { channelId: ChannelId }>(
  "dms.remove_person",
  `WITH gone AS (
     DELETE FROM dm_participants WHERE channel_id = $1 AND user_id = $2 RETURNING channel_id
   ), dropped AS (
     DELETE FROM dm_messages m USING gone WHERE m.user_id = $2 AND m.channel_id = gone.channel_id
   ), owned AS (
     UPDATE dm_channels d SET owner_id = NULL FROM gone WHERE d.channel_id = gone.channel_id AND d.owner_id = $2
   ), emptied AS (
     DELETE FROM channels c USING gone
     WHERE c.id = gone.channel_id AND NOT EXISTS (SELECT FROM dm_participants WHERE channel_id = $1 AND user_id <> $2)
   )
   SELECT channel_id AS "channelId" FROM gone`,
);

/** What everyone may do in a direct conversation. */
export const DIRECT_PERMISSIONS: PermissionBits =
  PERMISSIONS.viewChannel |
  PERMISSIONS.sendMessages |
  PERMISSIONS.readHistory |
  PERMISSIONS.addReactions |
  PERMISSIONS.connect |
  PERMISSIONS.speak |
  PERMISSIONS.video |
  PERMISSIONS.shareScreen;

function toDirectChannel(row: DmRow): DirectChannel {
  return {
    ...row,
    serverId: null,
    name: "",
    topic: null,
    position: 0,
    parentId: null,
    encrypted: true,
    overwrites: [],
    permissions: String(DIRECT_PERMISSIONS),
  };
}

/** The latest direct conversations of a person. */
export async function directChannels(db: Database, userId: UserId): Promise<DirectChannel[]> {
  return (await db.query(dmsOf, [userId, LIMITS.dmsPerUser])).map(toDirectChannel);
}

/** A direct conversation as one of its people sees it; undefined when they are not in it. */
export async function directChannel(db: Database, userId: UserId, id: ChannelId): Promise<DirectChannel | undefined> {
  const [row] = await db.query(dmOf, [userId, id]);
  return row === undefined ? undefined : toDirectChannel(row);
}
