import type { ServerId, UserId } from "@lescopains/protocol/ids";
import { statement } from "./port.ts";
import type { VersionRow } from "./servers.ts";

export interface InviteRow {
  readonly code: string;
  readonly serverId: ServerId;
  readonly createdBy: UserId | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly maxUses: number | null;
  readonly uses: number;
}

/** Columns are null when the server has as many invites as it may. */
export type MadeInviteRow = VersionRow & ({ readonly code: null } | InviteRow);

/**
 * Makes an invite, and clears away the server's expired and exhausted ones, so that the limit counts living ones.
 * Values: server, version, code, who makes it, seconds until it ends, most uses, most invites of a server.
 */
export const createInvite = statement<
  [ServerId, number, string, UserId, number | null, number | null, number],
  MadeInviteRow
>(
  "create_invite",
  `WITH guarded AS (
     SELECT id, version FROM servers WHERE id = $1 AND version = $2
   ), cleared AS (
     DELETE FROM invites i USING guarded
     WHERE i.server_id = guarded.id AND (i.expires_at <= now() OR i.uses >= i.max_uses)
   ), made AS (
     INSERT INTO invites (code, server_id, created_by, expires_at, max_uses)
     SELECT $3, id, $4::uuid, now() + $5::integer * interval '1 second', $6::integer FROM guarded
     WHERE (
       SELECT count(*) FROM invites
       WHERE server_id = $1 AND (expires_at IS NULL OR expires_at > now()) AND (max_uses IS NULL OR uses < max_uses)
     ) < $7
     RETURNING code, server_id, created_by, created_at, expires_at, max_uses, uses
   )
   SELECT guarded.version, made.code, made.server_id AS "serverId", made.created_by AS "createdBy",
     made.created_at AS "createdAt", made.expires_at AS "expiresAt", made.max_uses AS "maxUses", made.uses
   FROM guarded LEFT JOIN made ON true`,
);

/** Invites that still work, latest first. Values: server, most rows. */
export const invitesOfServer = statement<[ServerId, number], InviteRow>(
  "invites_of_server",
  `SELECT code, server_id AS "serverId", created_by AS "createdBy", created_at AS "createdAt", expires_at AS "expiresAt",
     max_uses AS "maxUses", uses
   FROM invites
   WHERE server_id = $1 AND (expires_at IS NULL OR expires_at > now()) AND (max_uses IS NULL OR uses < max_uses)
   ORDER BY created_at DESC, code LIMIT $2`,
);

export interface InvitePreviewRow {
  readonly code: string;
  readonly expiresAt: string | null;
  readonly serverId: ServerId;
  readonly name: string;
  readonly iconUrl: string | null;
  readonly memberCount: number;
}

/** What a working invite leads to; no row for any other code. */
export const inviteByCode = statement<[string], InvitePreviewRow>(
  "invite_by_code",
  `SELECT i.code, i.expires_at AS "expiresAt", s.id AS "serverId", s.name, s.icon_url AS "iconUrl",
     (SELECT count(*)::integer FROM server_members WHERE server_id = s.id) AS "memberCount"
   FROM invites i JOIN servers s ON s.id = i.server_id
   WHERE i.code = $1 AND (i.expires_at IS NULL OR i.expires_at > now()) AND (i.max_uses IS NULL OR i.uses < i.max_uses)`,
);

/** The server of any invite that was not revoked, working or not. */
export const serverOfInvite = statement<[string], { serverId: ServerId; createdBy: UserId | null }>(
  "server_of_invite",
  `SELECT server_id AS "serverId", created_by AS "createdBy" FROM invites WHERE code = $1`,
);

/** Values: server, version, code. `gone` is 0 when there was no such invite. */
export const revokeInvite = statement<[ServerId, number, string], VersionRow & { readonly gone: number }>(
  "revoke_invite",
  `WITH guarded AS (
     SELECT id, version FROM servers WHERE id = $1 AND version = $2
   ), gone AS (
     DELETE FROM invites i USING guarded WHERE i.code = $3 AND i.server_id = guarded.id RETURNING i.code
   )
   SELECT version, (SELECT count(*)::integer FROM gone) AS gone FROM guarded`,
);
