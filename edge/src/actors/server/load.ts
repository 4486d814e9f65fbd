import type { ChannelId, RoleId, ServerId, UserId } from "@lescopains/protocol/ids";
import { channelsOfServer, overwritesOfServer } from "../../db/channels.ts";
import { type MemberRow, membersOfServer } from "../../db/members.ts";
import type { Database } from "../../db/port.ts";
import { rolesOfServer } from "../../db/roles.ts";
import { serverById } from "../../db/servers.ts";
import {
  type ChannelState,
  memberState,
  type MemberState,
  type OverwriteState,
  type RoleState,
  type ServerState,
} from "./state.ts";

/** Rows of one question: a server of 25,000 takes five. */
const MEMBERS_PER_QUERY = 5_000;
/** Times that a server may change while it is read. */
const MAX_TRIES = 5;

/** Reads a whole server; null when there is none. Several statements: read again when it changed in between. Throws `DatabaseError`. */
export async function loadServer(db: Database, id: ServerId): Promise<ServerState | null> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const [server] = await db.query(serverById, [id]);
    if (server === undefined) return null;
    const [roles, channels, members] = await Promise.all([
      loadRoles(db, id),
      loadChannels(db, id),
      loadMembers(db, id),
    ]);
    const [after] = await db.query(serverById, [id]);
    if (after?.version !== server.version) continue;
    const defaultRole = [...roles.values()].find(({ isDefault }) => isDefault);
    if (defaultRole === undefined) throw new Error("a server without its default role");
    return { ...server, defaultRoleId: defaultRole.id, roles, channels, members };
  }
  throw new Error("a server changed each time it was read");
}

async function loadRoles(db: Database, id: ServerId): Promise<Map<RoleId, RoleState>> {
  const rows = await db.query(rolesOfServer, [id]);
  return new Map(rows.map((row) => [row.id, { ...row, permissions: BigInt(row.permissions) }]));
}

async function loadChannels(db: Database, id: ServerId): Promise<Map<ChannelId, ChannelState>> {
  const [rows, overwriteRows] = await Promise.all([
    db.query(channelsOfServer, [id]),
    db.query(overwritesOfServer, [id]),
  ]);
  const overwrites = new Map<ChannelId, Map<string, OverwriteState>>(rows.map((row) => [row.id, new Map()]));
  for (const { channelId, targetId, targetType, allow, deny } of overwriteRows) {
    overwrites.get(channelId)?.set(targetId, { targetId, targetType, allow: BigInt(allow), deny: BigInt(deny) });
  }
  return new Map(rows.map((row) => [row.id, { ...row, overwrites: overwrites.get(row.id) ?? new Map() }]));
}

async function loadMembers(db: Database, id: ServerId): Promise<Map<UserId, MemberState>> {
  const members = new Map<UserId, MemberState>();
  let after: UserId | null = null;
  for (;;) {
    const rows: MemberRow[] = await db.query(membersOfServer, [id, after, MEMBERS_PER_QUERY]);
    for (const { id: userId, username, displayName, roles, joinedAt } of rows) {
      members.set(userId, memberState({ id: userId, username, displayName }, roles, joinedAt));
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < MEMBERS_PER_QUERY) return members;
    after = last.id;
  }
}
