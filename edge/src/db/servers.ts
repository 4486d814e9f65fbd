import type { ChannelId, RoleId, ServerId, UserId } from "@lescopains/protocol/ids";
import { statement } from "./port.ts";

/*
 * Every change of a server begins with the CTE `bumped`: it takes the next version only if the server still has the
 * version that the decision was made on. No row back: someone else changed the server, nothing was done.
 */

export interface VersionRow {
  readonly version: number;
}

export interface ServerRow {
  readonly id: ServerId;
  readonly name: string;
  readonly iconUrl: string | null;
  readonly ownerId: UserId;
  readonly encrypted: boolean;
  readonly createdAt: string;
  readonly version: number;
}

export const serverById = statement<[ServerId], ServerRow>(
  "server_by_id",
  `SELECT id, name, icon_url AS "iconUrl", owner_id AS "ownerId", encrypted, created_at AS "createdAt", version
   FROM servers WHERE id = $1`,
);

/**
 * Server, default role, first text channel and the owner's membership. No row: the person is in too many servers.
 * Values: server, owner, name, role, role's permissions, channel, most servers of a person.
 */
export const createServer = statement<[ServerId, UserId, string, RoleId, string, ChannelId, number], { id: ServerId }>(
  "create_server",
  `WITH made AS (
     INSERT INTO servers (id, owner_id, name)
     SELECT $1, $2, $3 WHERE (SELECT count(*) FROM server_members WHERE user_id = $2) < $7
     RETURNING id
   ), role AS (
     INSERT INTO roles (id, server_id, name, permissions, position, is_default)
     SELECT $4::uuid, id, 'everyone', $5::bigint, 0, true FROM made
   ), channel AS (
     INSERT INTO channels (id, server_id, name, type, position) SELECT $6::uuid, id, 'general', 'text', 0 FROM made
   ), member AS (
     INSERT INTO server_members (server_id, user_id) SELECT id, $2 FROM made
   )
   SELECT id FROM made`,
);

/** Values: server, version, name, owner. */
export const updateServer = statement<[ServerId, number, string, UserId], VersionRow>(
  "update_server",
  `UPDATE servers SET version = version + 1, name = $3, owner_id = $4 WHERE id = $1 AND version = $2 RETURNING version`,
);

/** With everything in it. Values: server, version. */
export const deleteServer = statement<[ServerId, number], { id: ServerId }>(
  "delete_server",
  `DELETE FROM servers WHERE id = $1 AND version = $2 RETURNING id`,
);
