import type { ChannelId, MessageId, RoleId, ServerId, SessionId, UserId } from "@lescopains/protocol/ids";
import type { Pool } from "pg";

/*
 * A place that has grown: 1,000,000 messages over 40,000 channels of uneven size, 60,000 people, 20,000 servers.
 * Everything in it has a number, and its id says which: `user(7)` is the seventh person.
 */

function id(kind: string, n: number): string {
  return `${kind.padStart(8, "0")}-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

export const user = (n: number): UserId => id("a", n) as UserId;
export const server = (n: number): ServerId => id("b", n) as ServerId;
export const channel = (n: number): ChannelId => id("c", n) as ChannelId;
export const message = (n: number): MessageId => id("d", n) as MessageId;
export const role = (n: number): RoleId => id("e", n) as RoleId;
export const session = (n: number): SessionId => id("f", n) as SessionId;

/** The same in SQL: `sqlId("a", "n")` is the id of person n. */
function sqlId(kind: string, n: string): string {
  return `('${kind.padStart(8, "0")}-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
}

/** Server 1 is as large as a server may be (and has more bans than anyone would list); user 1 is in 100 servers. */
export const CROWD = {
  messages: 1_000_000,
  users: 60_000,
  servers: 20_000,
  channels: 40_000,
  bigServer: { members: 10_000, channels: 500, roles: 250, invites: 1_000, bans: 19_000 },
} as const;

const FILL = [
  `INSERT INTO users (id, username, display_name, password_hash)
   SELECT ${sqlId("a", "n")}, 'user' || n, 'User ' || n, 'hash' || n FROM generate_series(1, ${CROWD.users}) AS n`,
  `INSERT INTO recovery_codes SELECT ${sqlId("a", "n")}, int8send(k) FROM generate_series(1, 3000) AS n, generate_series(1::bigint, 10) AS k`,
  // Everyone is signed in once and was once before; user 1 is signed in as often as one may be.
  `INSERT INTO sessions (id, user_id, name, last_used_at, expires_at)
   SELECT ${sqlId("f", "n")}, ${sqlId("a", `CASE WHEN n > ${2 * CROWD.users} THEN 1 ELSE 1 + n % ${CROWD.users} END`)}, 'Firefox on Linux',
     now() - n * interval '1 second', now() + CASE WHEN n <= ${CROWD.users} THEN interval '-1 day' ELSE interval '7 days' END
   FROM generate_series(1, ${2 * CROWD.users + 49}) AS n`,
  `INSERT INTO rate_limits SELECT 'login:' || n, 1, now() - n * interval '1 second' FROM generate_series(1, 20000) AS n`,
  `INSERT INTO servers (id, name, owner_id) SELECT ${sqlId("b", "n")}, 'Server ' || n, ${sqlId("a", "n")} FROM generate_series(1, ${CROWD.servers}) AS n`,
  `INSERT INTO server_members (server_id, user_id, roles)
   SELECT ${sqlId("b", "1")}, ${sqlId("a", "n")}, ARRAY[${sqlId("e", "2")}] FROM generate_series(1, ${CROWD.bigServer.members}) AS n
   UNION ALL SELECT ${sqlId("b", "s")}, ${sqlId("a", "1")}, '{}' FROM generate_series(2, 100) AS s
   UNION ALL SELECT ${sqlId("b", "s")}, ${sqlId("a", `2 + (s * 17 + k) % ${CROWD.users - 2}`)}, '{}'
     FROM generate_series(2, ${CROWD.servers}) AS s, generate_series(0, 9) AS k`,
  `INSERT INTO roles (id, server_id, name, permissions, position, is_default)
   SELECT ${sqlId("e", "n")}, ${sqlId("b", "1")}, 'Role ' || n, 1, n - 1, n = 1 FROM generate_series(1, ${CROWD.bigServer.roles}) AS n
   UNION ALL SELECT ${sqlId("e", "1000 + 3 * s + k")}, ${sqlId("b", "s")}, 'Role', 1, k, k = 0
     FROM generate_series(2, ${CROWD.servers}) AS s, generate_series(0, 2) AS k`,
  `INSERT INTO channels (id, server_id, name, type, position)
   SELECT ${sqlId("c", "n")},
     CASE WHEN n <= ${CROWD.bigServer.channels} THEN ${sqlId("b", "1")} ELSE ${sqlId("b", "2 + (n - 501) / 2")} END, 'channel', 'text', n % 500
   FROM generate_series(1, ${CROWD.channels}) AS n`,
  `INSERT INTO channel_overwrites
   SELECT ${sqlId("c", "1")}, ${sqlId("a", "n")}, 'member', 0, 1 FROM generate_series(1, 240) AS n
   UNION ALL SELECT ${sqlId("c", "n")}, ${sqlId("e", "2")}, 'role', 0, 1 FROM generate_series(1, ${CROWD.channels}) AS n
   UNION ALL SELECT ${sqlId("c", "n")}, ${sqlId("a", "2 + n")}, 'member', 0, 1 FROM generate_series(301, ${CROWD.channels}) AS n`,
  `INSERT INTO invites (code, server_id, created_by)
   SELECT 'code' || lpad(n::text, 6, '0'), ${sqlId("b", `CASE WHEN n <= ${CROWD.bigServer.invites} THEN 1 ELSE 2 + n % 15000 END`)}, ${sqlId("a", "1 + n % 900")}
   FROM generate_series(1, 20000) AS n`,
  `INSERT INTO bans (server_id, user_id, created_by, created_at)
   SELECT ${sqlId("b", "1")}, ${sqlId("a", `${CROWD.bigServer.members} + n`)}, ${sqlId("a", "1")}, now() - n * interval '1 minute'
     FROM generate_series(1, ${CROWD.bigServer.bans}) AS n
   UNION ALL SELECT ${sqlId("b", "s")}, ${sqlId("a", `1 + (s * 31 + k) % ${CROWD.users}`)}, ${sqlId("a", "1")}, now()
     FROM generate_series(2, ${CROWD.servers}) AS s, generate_series(1, 2) AS k`,
  // 40 % in one channel, 20 % and 10 % in two others, the rest spread; the authors are a few hundred people.
  `INSERT INTO messages (id, channel_id, seq, changed_seq, author_id, nonce, content, created_at)
   SELECT id, channel_id, seq, seq, author_id, 'nonce' || n, 'some words that somebody said ' || n, now() - (${CROWD.messages} - n) * interval '1 second'
   FROM (
     SELECT n, ${sqlId("d", "n")} AS id, ${sqlId("a", "1 + (n * 7919) % 900")} AS author_id, c.id AS channel_id,
       row_number() OVER (PARTITION BY c.id ORDER BY n) AS seq
     FROM generate_series(1::bigint, ${CROWD.messages}) AS n, LATERAL (SELECT ${sqlId(
       "c",
       `CASE WHEN n % 10 < 4 THEN 1 WHEN n % 10 < 6 THEN 2 WHEN n % 10 = 6 THEN 3 ELSE 4 + (n / 10 * 3 + n % 10) % ${CROWD.channels - 10} END`,
     )} AS id) AS c
   ) AS said ORDER BY n`,
  `UPDATE channels c SET last_seq = m.last FROM (SELECT channel_id, max(seq) AS last FROM messages GROUP BY 1) AS m WHERE m.channel_id = c.id`,
  `INSERT INTO reactions SELECT ${sqlId("d", "n * 10")}, ${sqlId("a", "1 + n % 500")}, '👍' FROM generate_series(1, 50000) AS n`,
  `INSERT INTO read_marks
   SELECT ${sqlId("a", "1")}, ${sqlId("c", "n")}, 1 FROM generate_series(1, 700) AS n
   UNION ALL SELECT ${sqlId("a", "u")}, ${sqlId("c", `1 + (u * 3 + k) % ${CROWD.channels - 10}`)}, 1 FROM generate_series(2, 25000) AS u, generate_series(0, 3) AS k`,
  `INSERT INTO friendships SELECT ${sqlId("a", "n")}, ${sqlId("a", "n + 1")}, 'accepted' FROM generate_series(1, 20000) AS n`,
] as const;

/** Fills a migrated database, and lets PostgreSQL look at what it holds. About 30 s. */
export async function fill(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    // The rows refer to one another by construction: checking each reference would take most of the time.
    await client.query("SET session_replication_role = replica; SET maintenance_work_mem = '256MB'");
    // Indexes that are made at the end cost a third of indexes that grow with each row.
    const { rows: indexes } = await client.query<{ name: string; definition: string }>(
      `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
       WHERE indrelid = 'messages'::regclass AND NOT indisprimary`,
    );
    for (const { name } of indexes) await client.query(`DROP INDEX ${name}`);
    for (const sql of FILL) await client.query(sql);
    for (const { definition } of indexes) await client.query(definition);
    await client.query("VACUUM (ANALYZE)");
    await client.query("RESET session_replication_role");
  } finally {
    client.release();
  }
}
