import type { RoleId, ServerId, UserId } from "@lescopains/protocol/ids";
import type { MarksRow } from "./channels.ts";
import { statement } from "./port.ts";
import type { VersionRow } from "./servers.ts";

export interface MemberRow {
  readonly id: UserId;
  readonly username: string;
  readonly displayName: string;
  readonly roles: RoleId[];
  readonly joinedAt: string;
}

/** Members by user id. Values: server, the last user id of the page before, page size. */
export const membersOfServer = statement<[ServerId, UserId | null, number], MemberRow>(
  "members_of_server",
  `SELECT u.id, u.username, u.display_name AS "displayName", m.roles, m.joined_at AS "joinedAt"
   FROM (
     SELECT user_id, roles, joined_at FROM server_members
     WHERE server_id = $1 AND user_id > COALESCE($2::uuid, '00000000-0000-0000-0000-000000000000')
     ORDER BY user_id LIMIT $3
   ) m JOIN users u ON u.id = m.user_id
   ORDER BY m.user_id`,
);

/** What an attempt to join came to. `version` is null when nothing was done; the other columns say why. */
export interface JoinRow {
  readonly version: number | null;
  readonly joinedAt: string | null;
  readonly username: string | null;
  readonly displayName: string | null;
  readonly inviteValid: boolean;
  readonly isBanned: boolean;
  readonly serverCount: number;
  /** The server's version before: not what the caller holds means that they must look again. */
  readonly versionBefore: number | null;
  /** Where the server's channels stand for the one who joined. */
  readonly marks: MarksRow[] | null;
}

/**
 * Counts one use of the invite and makes the membership, or does neither. The row lock on the invite admits no more than
 * `max_uses`, however many join at once. Values: server, version, invite, user, most servers of a person.
 */
export const joinServer = statement<[ServerId, number, string, UserId, number], JoinRow>(
  "join_server",
  `WITH asked AS (
     SELECT
       (SELECT version FROM servers WHERE id = $1) AS version_before,
       EXISTS (
         SELECT 1 FROM invites WHERE code = $3 AND server_id = $1
           AND (expires_at IS NULL OR expires_at > now()) AND (max_uses IS NULL OR uses < max_uses)
       ) AS invite_valid,
       EXISTS (SELECT 1 FROM bans WHERE server_id = $1 AND user_id = $4) AS is_banned,
       (SELECT count(*)::integer FROM server_members WHERE user_id = $4) AS server_count
   ), used AS (
     UPDATE invites i SET uses = uses + 1 FROM asked
     WHERE i.code = $3 AND i.server_id = $1
       AND (i.expires_at IS NULL OR i.expires_at > now()) AND (i.max_uses IS NULL OR i.uses < i.max_uses)
       AND asked.version_before = $2 AND NOT asked.is_banned AND asked.server_count < $5
     RETURNING i.server_id
   ), joined AS (
     INSERT INTO server_members (server_id, user_id) SELECT server_id, $4 FROM used RETURNING joined_at
   ), bumped AS (
     UPDATE servers s SET version = version + 1 FROM used WHERE s.id = used.server_id RETURNING s.version
   )
   SELECT (SELECT version FROM bumped) AS version, (SELECT joined_at FROM joined) AS "joinedAt",
     u.username, u.display_name AS "displayName", a.invite_valid AS "inviteValid", a.is_banned AS "isBanned",
     a.server_count AS "serverCount", a.version_before AS "versionBefore",
     (
       SELECT json_agg(json_build_object('channelId', c.id, 'lastSeq', c.last_seq, 'messageSeq', c.message_seq,
         'readSeq', COALESCE(r.seq, 0)))
       FROM joined, channels c LEFT JOIN read_marks r ON r.user_id = $4 AND r.channel_id = c.id
       WHERE c.server_id = $1
     ) AS marks
   FROM asked a LEFT JOIN users u ON u.id = $4`,
);

/** Ends a membership, with what channels held for that person. Values: server, version, user. */
export const removeMember = statement<[ServerId, number, UserId], VersionRow>(
  "remove_member",
  `WITH bumped AS (
     UPDATE servers SET version = version + 1 WHERE id = $1 AND version = $2 RETURNING id, version
   ), gone AS (
     DELETE FROM server_members m USING bumped WHERE m.server_id = bumped.id AND m.user_id = $3
   ), lifted AS (
     DELETE FROM channel_overwrites o USING channels c, bumped
     WHERE o.target_id = $3 AND o.target_type = 'member' AND c.id = o.channel_id AND c.server_id = bumped.id
   )
   SELECT version FROM bumped`,
);

/** Values: server, version, user, roles. */
export const setMemberRoles = statement<[ServerId, number, UserId, RoleId[]], VersionRow>(
  "set_member_roles",
  `WITH bumped AS (
     UPDATE servers SET version = version + 1 WHERE id = $1 AND version = $2 RETURNING id, version
   ), changed AS (
     UPDATE server_members m SET roles = $4::uuid[] FROM bumped WHERE m.server_id = bumped.id AND m.user_id = $3
   )
   SELECT version FROM bumped`,
);

/**
 * Bans, and ends the membership if there is one. Fails with `foreign_key` for an unknown user.
 * Values: server, version, user, who bans, reason.
 */
export const banMember = statement<[ServerId, number, UserId, UserId, string | null], VersionRow>(
  "ban_member",
  `WITH bumped AS (
     UPDATE servers SET version = version + 1 WHERE id = $1 AND version = $2 RETURNING id, version
   ), banned AS (
     INSERT INTO bans (server_id, user_id, created_by, reason) SELECT id, $3::uuid, $4::uuid, $5 FROM bumped
     ON CONFLICT (server_id, user_id) DO UPDATE SET created_by = EXCLUDED.created_by, reason = EXCLUDED.reason
   ), gone AS (
     DELETE FROM server_members m USING bumped WHERE m.server_id = bumped.id AND m.user_id = $3
   ), lifted AS (
     DELETE FROM channel_overwrites o USING channels c, bumped
     WHERE o.target_id = $3 AND o.target_type = 'member' AND c.id = o.channel_id AND c.server_id = bumped.id
   )
   SELECT version FROM bumped`,
);

/** Values: server, version, user. `lifted` is 0 when there was no ban. */
export const unbanMember = statement<[ServerId, number, UserId], VersionRow & { readonly lifted: number }>(
  "unban_member",
  `WITH guarded AS (
     SELECT id, version FROM servers WHERE id = $1 AND version = $2
   ), gone AS (
     DELETE FROM bans b USING guarded WHERE b.server_id = guarded.id AND b.user_id = $3 RETURNING b.user_id
   )
   SELECT version, (SELECT count(*)::integer FROM gone) AS lifted FROM guarded`,
);

export interface BanRow {
  readonly id: UserId;
  readonly username: string;
  readonly displayName: string;
  readonly reason: string | null;
  readonly createdAt: string;
}

/** The latest bans. Values: server, most rows. */
export const bansOfServer = statement<[ServerId, number], BanRow>(
  "bans_of_server",
  `SELECT u.id, u.username, u.display_name AS "displayName", b.reason, b.created_at AS "createdAt"
   FROM bans b JOIN users u ON u.id = b.user_id WHERE b.server_id = $1 ORDER BY b.created_at DESC, b.user_id DESC LIMIT $2`,
);
