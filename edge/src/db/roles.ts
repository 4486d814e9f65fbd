import type { RoleId, ServerId } from "@lescopains/protocol/ids";
import { statement } from "./port.ts";
import type { VersionRow } from "./servers.ts";

export interface RoleRow {
  readonly id: RoleId;
  readonly name: string;
  /** BIGINT as decimal text: the bits reach beyond what a number holds. */
  readonly permissions: string;
  readonly color: number | null;
  readonly position: number;
  readonly isDefault: boolean;
}

export const rolesOfServer = statement<[ServerId], RoleRow>(
  "roles_of_server",
  `SELECT id, name, permissions::text AS permissions, color, position, is_default AS "isDefault"
   FROM roles WHERE server_id = $1 ORDER BY position, id`,
);

/** Values: server, version, role, name, permissions, colour, position, ids and positions of the roles that move. */
export const createRole = statement<
  [ServerId, number, RoleId, string, string, number | null, number, RoleId[], number[]],
  VersionRow
>(
  "create_role",
  `WITH bumped AS (
     UPDATE servers SET version = version + 1 WHERE id = $1 AND version = $2 RETURNING id, version
   ), made AS (
     INSERT INTO roles (id, server_id, name, permissions, color, position)
     SELECT $3::uuid, id, $4, $5::bigint, $6::integer, $7::integer FROM bumped
   ), moved AS (
     UPDATE roles r SET position = m.position
     FROM bumped, unnest($8::uuid[], $9::integer[]) AS m (id, position)
     WHERE r.server_id = bumped.id AND r.id = m.id
   )
   SELECT version FROM bumped`,
);

/** Values: server, version, role, name, permissions, colour, ids and positions of all roles that move. */
export const updateRole = statement<
  [ServerId, number, RoleId, string, string, number | null, RoleId[], number[]],
  VersionRow
>(
  "update_role",
  `WITH bumped AS (
     UPDATE servers SET version = version + 1 WHERE id = $1 AND version = $2 RETURNING id, version
   ), changed AS (
     UPDATE roles r
     SET name = CASE WHEN r.id = $3 THEN $4 ELSE r.name END,
       permissions = CASE WHEN r.id = $3 THEN $5::bigint ELSE r.permissions END,
       color = CASE WHEN r.id = $3 THEN $6::integer ELSE r.color END,
       position = COALESCE(moved.position, r.position)
     FROM bumped, (
       SELECT id, max(position) AS position
       FROM (SELECT * FROM unnest($7::uuid[], $8::integer[]) AS m (id, position) UNION ALL SELECT $3::uuid, NULL) AS all_moved
       GROUP BY id
     ) AS moved
     WHERE r.server_id = bumped.id AND r.id = moved.id
   )
   SELECT version FROM bumped`,
);

/** Takes the role from its members and out of the channels too. Values: server, version, role. */
export const deleteRole = statement<[ServerId, number, RoleId], VersionRow>(
  "delete_role",
  `WITH bumped AS (
     UPDATE servers SET version = version + 1 WHERE id = $1 AND version = $2 RETURNING id, version
   ), gone AS (
     DELETE FROM roles r USING bumped WHERE r.id = $3 AND r.server_id = bumped.id AND NOT r.is_default
   ), taken AS (
     UPDATE server_members m SET roles = array_remove(m.roles, $3::uuid)
     FROM bumped WHERE m.server_id = bumped.id AND $3 = ANY (m.roles)
   ), lifted AS (
     DELETE FROM channel_overwrites o USING channels c, bumped
     WHERE o.target_id = $3 AND c.id = o.channel_id AND c.server_id = bumped.id
   )
   SELECT version FROM bumped`,
);
