import type {
  ChannelId,
  HandoffId,
  JoinId,
  MessageId,
  RoleId,
  ServerId,
  SessionId,
  UserId,
} from "@lescopains/protocol/ids";
import type { Pool } from "pg";
import type { VaultId } from "../../edge/src/db/vaults.ts";

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
export const vault = (n: number): VaultId => id("aa", n) as VaultId;
export const stay = (n: number): JoinId => id("ac", n) as JoinId;
export const handoff = (n: number): HandoffId => id("ab", n) as HandoffId;

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
  devices: 20_000,
  /** Number of the channel before the first conversation. */
  dm: 100_000,
  bigServer: { members: 10_000, channels: 500, roles: 250, invites: 1_000, bans: 19_000 },
} as const;

const FILL = [
  `INSERT INTO users (id, username, display_name, password_hash)
   SELECT ${sqlId("a", "n")}, 'user' || n, 'User ' || n, 'hash' || n FROM generate_series(1, ${CROWD.users}) AS n`,
  // Two operators, one account that is disabled.
  `UPDATE users SET operator = id <> ${sqlId("a", "59999")}, disabled_at = CASE WHEN id = ${sqlId("a", "59999")} THEN now() END
   WHERE id IN (${sqlId("a", "59998")}, ${sqlId("a", "59999")}, ${sqlId("a", "60000")})`,
  // Links for a new password: user 1's is of the secret whose hash is all zeros.
  `UPDATE users SET password_link_hash = CASE WHEN id = ${sqlId("a", "1")} THEN decode(repeat('00', 32), 'hex') ELSE sha256(id::text::bytea) END,
     password_link_made_at = now()
   WHERE id <= ${sqlId("a", "3000")}`,
  `UPDATE instance SET registration = 'invite', server_invites = true`,
  `INSERT INTO instance_invites (code, created_by)
   SELECT 'inst' || lpad(n::text, 6, '0'), ${sqlId("a", "60000")} FROM generate_series(1, 200) AS n`,
  `INSERT INTO operator_log (operator_id, operator_name, action)
   SELECT ${sqlId("a", "60000")}, 'user60000', 'claim' FROM generate_series(1, 20000) AS n`,
  `INSERT INTO recovery_codes SELECT ${sqlId("a", "n")}, int8send(k) FROM generate_series(1, 3000) AS n, generate_series(1::bigint, 10) AS k`,
  // Everyone is signed in once and was once before; user 1 is signed in as often as one may be.
  `INSERT INTO sessions (id, user_id, name, last_used_at, expires_at)
   SELECT ${sqlId("f", "n")}, ${sqlId("a", `CASE WHEN n > ${2 * CROWD.users} THEN 1 ELSE 1 + n % ${CROWD.users} END`)}, 'Firefox on Linux',
     now() - n * interval '1 second', now() + CASE WHEN n <= ${CROWD.users} THEN interval '-1 day' ELSE interval '7 days' END
   FROM generate_series(1, ${2 * CROWD.users + 49}) AS n`,
  `INSERT INTO rate_limits SELECT 'login:' || n, 1, now() - n * interval '1 second' FROM generate_series(1, 20000) AS n`,
  // Every third person has a vault; that of user 1 has as many records as there may be, save one.
  `INSERT INTO vaults (id, user_id, token_hash, sealed_root)
   SELECT ${sqlId("aa", "n")}, ${sqlId("a", "n")}, '\\x00', '\\x00' FROM generate_series(1, 20000) AS n`,
  `INSERT INTO vault_records
   SELECT ${sqlId("aa", "1")}, 'h-' || lpad(n::text, 6, '0'), 1, '\\x00'::bytea FROM generate_series(1, 16383) AS n
   UNION ALL SELECT ${sqlId("aa", "n")}, 'h-' || k, 1, '\\x00'::bytea FROM generate_series(2, 20000) AS n, generate_series(1, 2) AS k`,
  // Few are open, five of them of user 1; the others have ended.
  `INSERT INTO handoffs (id, user_id, session_id, public_key, expires_at)
   SELECT ${sqlId("ab", "n")}, ${sqlId("a", "CASE WHEN n <= 5 THEN 1 ELSE n END")}, ${sqlId("f", `${2 * CROWD.users} + n`)}, '\\x05',
     now() + CASE WHEN n <= 20 THEN interval '5 minutes' ELSE n * interval '-1 second' END
   FROM generate_series(1, 20000) AS n`,
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
  // One message has nearly as many reactions as there may be.
  `INSERT INTO reactions SELECT ${sqlId("d", "500001")}, ${sqlId("a", "n")}, '👍' FROM generate_series(1, 249) AS n`,
  `INSERT INTO read_marks
   SELECT ${sqlId("a", "1")}, ${sqlId("c", "n")}, 1 FROM generate_series(1, 700) AS n
   UNION ALL SELECT ${sqlId("a", "u")}, ${sqlId("c", `1 + (u * 3 + k) % ${CROWD.channels - 10}`)}, 1 FROM generate_series(2, 25000) AS u, generate_series(0, 3) AS k`,
  // Everyone up to 20,000 has a device; user 1 has six, with as many keys and envelopes as there may be, and as many used keys again.
  `INSERT INTO device_lists (user_id, identity_key, version, devices, signature)
   SELECT ${sqlId("a", "n")}, '\\x05', 1, '[]', '\\x00' FROM generate_series(1, ${CROWD.devices}) AS n`,
  `INSERT INTO devices (user_id, device_id, registration_id, name, queued)
   SELECT ${sqlId("a", "n")}, 1, n % 16000 + 1, 'Firefox', 0 FROM generate_series(1, ${CROWD.devices}) AS n
   UNION ALL SELECT ${sqlId("a", "1")}, d, d, 'Firefox', 0 FROM generate_series(2, 6) AS d`,
  `INSERT INTO device_keys SELECT user_id, device_id, 1, '\\x05', '\\x00', 1, '\\x08', '\\x00' FROM devices`,
  `INSERT INTO prekeys
   SELECT ${sqlId("a", "1")}, d, kind, k, '\\x05'::bytea, NULL::bytea, k <= 200
     FROM generate_series(1, 6) AS d, generate_series(1, 400) AS k, unnest(ARRAY['ec', 'kyber']) AS kind
   UNION ALL SELECT ${sqlId("a", "n")}, 1, kind, k, '\\x05', NULL, k % 3 = 0
     FROM generate_series(2, ${CROWD.devices}) AS n, generate_series(1, 8) AS k, unnest(ARRAY['ec', 'kyber']) AS kind`,
  `INSERT INTO envelopes (user_id, device_id, from_user_id, from_device_id, type, body)
   SELECT ${sqlId("a", "CASE WHEN n % 100 = 1 THEN 1 ELSE 2 + n % 19000 END")}, 1, ${sqlId("a", "2 + n % 5000")}, 1, 2, '\\x00'
   FROM generate_series(1, 100000) AS n`,
  `UPDATE sessions SET device_id = 1 WHERE id = ${sqlId("f", "100000")} OR id = ${sqlId("f", String(2 * CROWD.users + 1))}`,
  // 20,000 conversations of two, 500 of them of user 1; the last 1,000 channels are groups of 25. Conversation 1 is long.
  `INSERT INTO channels (id, name, type, encrypted)
   SELECT ${sqlId("c", `${CROWD.dm} + n`)}, '', CASE WHEN n > 20000 THEN 'group_dm' ELSE 'dm' END, true FROM generate_series(1, 21000) AS n`,
  `INSERT INTO dm_channels (channel_id, owner_id, low_user, high_user)
   SELECT ${sqlId("c", `${CROWD.dm} + n`)}, ${sqlId("a", "CASE WHEN n <= 480 THEN 1 ELSE n END")},
     CASE WHEN n <= 20000 THEN ${sqlId("a", "CASE WHEN n <= 480 THEN 1 ELSE n END")} END, CASE WHEN n <= 20000 THEN ${sqlId("a", "n + 1")} END
   FROM generate_series(1, 21000) AS n`,
  `INSERT INTO dm_participants (channel_id, user_id)
   SELECT channel_id, low_user FROM dm_channels WHERE low_user IS NOT NULL
   UNION ALL SELECT channel_id, high_user FROM dm_channels WHERE high_user IS NOT NULL
   UNION ALL SELECT ${sqlId("c", `${CROWD.dm} + 20000 + n`)}, ${sqlId("a", "CASE WHEN k = 0 AND n <= 20 THEN 1 ELSE 2 + (n * 25 + k) % 19000 END")}
     FROM generate_series(1, 1000) AS n, generate_series(0, 24) AS k`,
  `INSERT INTO messages (id, channel_id, seq, changed_seq, author_id, sender_device_id, nonce, content, encrypted)
   SELECT ${sqlId("d", "2000000 + n")}, ${sqlId("c", `${CROWD.dm} + CASE WHEN n <= 20000 THEN 1 WHEN n <= 40000 THEN 20001 ELSE n - 40000 + 1 END`)},
     CASE WHEN n <= 20000 THEN n WHEN n <= 40000 THEN n - 20000 ELSE 1 END, CASE WHEN n <= 20000 THEN n WHEN n <= 40000 THEN n - 20000 ELSE 1 END,
     ${sqlId("a", "2")}, 1, 'dm' || n, CASE WHEN n > 20000 AND n <= 40000 THEN 'AA==' ELSE '' END, true
   FROM generate_series(1, 50000) AS n`,
  `INSERT INTO dm_messages (channel_id, seq, user_id, device_id, sender_id, type, ciphertext, created_at)
   SELECT ${sqlId("c", `${CROWD.dm} + 1`)}, n, ${sqlId("a", "1")}, d, ${sqlId("a", "2")}, 2, '\\x00'::bytea, now() - (20000 - n) * interval '3 minutes'
     FROM generate_series(1, 20000) AS n, generate_series(1, 6) AS d
   UNION ALL SELECT ${sqlId("c", `${CROWD.dm} + 20001`)}, n, p.user_id, 1, ${sqlId("a", "2")}, 7, NULL, now() - (20000 - n) * interval '3 minutes'
     FROM generate_series(19900, 20000) AS n, dm_participants p WHERE p.channel_id = ${sqlId("c", `${CROWD.dm} + 20001`)}`,
  `UPDATE channels c SET last_seq = m.last FROM (SELECT channel_id, max(seq) AS last FROM messages WHERE sender_device_id = 1 GROUP BY 1) AS m
   WHERE m.channel_id = c.id`,
  `INSERT INTO friendships SELECT ${sqlId("a", "n")}, ${sqlId("a", "n + 1")}, 'accepted' FROM generate_series(1, 20000) AS n`,
  // Person 1 has blocked as many as one may.
  `INSERT INTO friendships SELECT ${sqlId("a", "1")}, ${sqlId("a", "30000 + n")}, 'blocked' FROM generate_series(1, 1000) AS n`,
  // A hundred were in voice for each who is: 99 in channel 1 of server 1, one in every tenth conversation.
  `INSERT INTO voice_sessions (id, channel_id, server_id, user_id, session_id, node, joined_at, left_at, reason)
   SELECT ${sqlId("ac", "n")}, ${sqlId("c", "1 + n % 2000")}, ${sqlId("b", "1")}, ${sqlId("a", "1 + n % 9000")}, ${sqlId("f", "n")}, 'node',
     now() - n * interval '1 minute', now() - n * interval '1 minute', 'left' FROM generate_series(1, 20000) AS n`,
  `INSERT INTO voice_sessions (id, channel_id, server_id, user_id, session_id, node)
   SELECT ${sqlId("ac", "100000 + n")}, ${sqlId("c", "1")}, ${sqlId("b", "1")}, ${sqlId("a", "n")}, ${sqlId("f", "n")}, 'node-1' FROM generate_series(1, 99) AS n
   UNION ALL SELECT ${sqlId("ac", "200000 + n")}, ${sqlId("c", `${CROWD.dm} + n * 10`)}, NULL, ${sqlId("a", "n * 10")}, ${sqlId("f", "n")}, 'node-2'
     FROM generate_series(20, 120) AS n`,
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
