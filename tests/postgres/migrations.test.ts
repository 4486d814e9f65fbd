import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "../../tools/stack/migrate.ts";
import { MIGRATIONS, type Server, startServer } from "./server.ts";

let server: Server;
beforeAll(async () => {
  server = await startServer();
}, 120_000);
afterAll(() => server.stop(), 60_000);

const FILES = readdirSync(MIGRATIONS).toSorted();

const ADA = "'00000000-0000-7000-8000-00000000000a'";
const BOB = "'00000000-0000-7000-8000-00000000000b'";
const PLACE = "'00000000-0000-7000-8000-000000000001'";
const CHANNEL = "'00000000-0000-7000-8000-000000000002'";
const DM = "'00000000-0000-7000-8000-000000000004'";
const MESSAGE = "'00000000-0000-7000-8000-000000000003'";

/**
 * Rows for the tables as each migration leaves them, so that the next one meets data. A migration that makes or changes a table
 * adds its line; it never changes an older one.
 */
const ROWS_AFTER: Readonly<Record<string, string>> = {
  "0001-accounts.sql": `
    INSERT INTO users (id, username, display_name, email, password_hash, totp_secret, totp_enabled_at)
    VALUES (${ADA}, 'Ada', 'Ada L.', 'ada@example.org', '$2b$12$x', '\\x00ff', now()), (${BOB}, 'bob', 'Bob', NULL, '$2b$12$y', NULL, NULL);
    INSERT INTO recovery_codes VALUES (${ADA}, '\\x01');
    INSERT INTO sessions (id, user_id, name, expires_at) VALUES (${PLACE}, ${ADA}, 'Firefox on Linux', now() + interval '7 days');
    INSERT INTO rate_limits VALUES ('login:::1', 3.5, now());`,
  "0002-servers.sql": `
    INSERT INTO servers (id, name, owner_id) VALUES (${PLACE}, 'Chez Ada', ${ADA});
    INSERT INTO server_members (server_id, user_id, roles) VALUES (${PLACE}, ${ADA}, '{}'), (${PLACE}, ${BOB}, ARRAY[${CHANNEL}::uuid]);
    INSERT INTO roles (id, server_id, name, permissions, color, position, is_default)
    VALUES (${PLACE}, ${PLACE}, 'everyone', 9223372036854775807, NULL, 0, true), (${CHANNEL}, ${PLACE}, 'friends', 1, 255, 1, false);
    INSERT INTO channels (id, server_id, name, type, last_seq) VALUES (${CHANNEL}, ${PLACE}, 'general', 'text', 1);
    INSERT INTO channel_overwrites VALUES (${CHANNEL}, ${BOB}, 'member', 0, 131072);
    INSERT INTO invites (code, server_id, created_by) VALUES ('abcdefghij', ${PLACE}, ${ADA});
    INSERT INTO bans (server_id, user_id, reason, created_by) VALUES (${PLACE}, ${BOB}, 'a reason', ${ADA});`,
  "0003-messages.sql": `
    INSERT INTO messages (id, channel_id, seq, changed_seq, author_id, nonce, content, metadata)
    VALUES (${MESSAGE}, ${CHANNEL}, 1, 1, ${ADA}, 'n1', 'bonjour', '{"mentions":[]}');
    INSERT INTO reactions (message_id, user_id, emoji) VALUES (${MESSAGE}, ${BOB}, '👍');
    INSERT INTO read_marks VALUES (${BOB}, ${CHANNEL}, 1);`,
  "0004-friendships.sql": `
    INSERT INTO friendships (user_id, friend_id, status) VALUES (${ADA}, ${BOB}, 'accepted'), (${BOB}, ${ADA}, 'accepted');`,
  "0005-keys.sql": `
    INSERT INTO device_lists (user_id, identity_key, version, devices, signature)
    VALUES (${ADA}, '\\x05', 1, '[{"deviceId":1,"registrationId":7,"createdAt":0}]', '\\x00'), (${BOB}, '\\x05', 1, '[]', '\\x00');
    INSERT INTO devices (user_id, device_id, registration_id, name, queued) VALUES (${ADA}, 1, 7, 'Firefox', 1), (${BOB}, 1, 8, 'Phone', 1);
    INSERT INTO device_keys VALUES (${ADA}, 1, 1, '\\x05', '\\x00', 1, '\\x08', '\\x00'), (${BOB}, 1, 1, '\\x05', '\\x00', 1, '\\x08', '\\x00');
    INSERT INTO prekeys VALUES (${ADA}, 1, 'ec', 1, '\\x05', NULL, false), (${BOB}, 1, 'kyber', 1, '\\x08', '\\x00', true);
    INSERT INTO envelopes (user_id, device_id, from_user_id, from_device_id, type, body)
    VALUES (${ADA}, 1, ${BOB}, 1, 3, '\\x00'), (${BOB}, 1, ${ADA}, 1, 3, '\\x00');
    UPDATE sessions SET device_id = 1 WHERE user_id = ${ADA};`,
  "0006-direct-messages.sql": `
    INSERT INTO channels (id, name, type, encrypted, last_seq) VALUES (${DM}, '', 'dm', true, 1);
    INSERT INTO dm_channels VALUES (${DM}, ${ADA}, ${ADA}, ${BOB});
    INSERT INTO dm_participants (channel_id, user_id) VALUES (${DM}, ${ADA}), (${DM}, ${BOB});
    INSERT INTO messages (id, channel_id, seq, changed_seq, author_id, nonce, content, encrypted, sender_device_id)
    VALUES (${DM}, ${DM}, 1, 1, ${BOB}, 'n1', '', true, 1);
    INSERT INTO dm_messages (channel_id, seq, user_id, device_id, sender_id, type, ciphertext)
    VALUES (${DM}, 1, ${ADA}, 1, ${BOB}, 3, '\\x00'), (${DM}, 1, ${BOB}, 1, ${ADA}, 3, NULL);`,
  "0007-vault.sql": `
    INSERT INTO vaults (id, user_id, token_hash, kdf, sealed_root, records, bytes)
    VALUES (${PLACE}, ${ADA}, '\\x00', '{"passes":3}', '\\x00', 1, 1), (${CHANNEL}, ${BOB}, '\\x00', NULL, '\\x00', 1, 1);
    INSERT INTO vault_records VALUES (${PLACE}, 'identity', 1, '\\x00'), (${CHANNEL}, 'identity', 1, '\\x00');
    INSERT INTO handoffs (id, user_id, session_id, public_key, expires_at)
    VALUES (${PLACE}, ${ADA}, ${PLACE}, '\\x05', now() + interval '10 minutes');`,
  "0008-reactions.sql": `
    UPDATE channels SET last_seq = 2 WHERE id = ${CHANNEL};
    UPDATE messages SET changed_seq = 2, reacted_seq = 2 WHERE id = ${MESSAGE};`,
  "0009-voice.sql": `
    INSERT INTO voice_sessions (id, channel_id, server_id, user_id, session_id, node) VALUES (${PLACE}, ${CHANNEL}, ${PLACE}, ${ADA}, ${PLACE}, 'node');
    INSERT INTO voice_sessions (id, channel_id, user_id, session_id, left_at, reason) VALUES (${DM}, ${DM}, ${ADA}, ${PLACE}, now(), 'left');`,
  "0010-operators.sql": `
    UPDATE users SET operator = true WHERE id IN (${ADA}, ${BOB});
    UPDATE instance SET registration = 'invite';
    INSERT INTO instance_invites (code, created_by, max_uses) VALUES ('abcdefghij', ${ADA}, 1);
    INSERT INTO operator_log (operator_id, operator_name, action, subject, subject_name) VALUES (${ADA}, 'Ada', 'user.disable', ${BOB}, 'bob');`,
  "0011-generation.sql": `
    UPDATE instance SET generation = gen_random_uuid();`,
  "0012-password-links.sql": `
    UPDATE users SET password_link_hash = '\\x00', password_link_made_at = now() WHERE id = ${BOB};`,
};

async function connected<T>(connectionString: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function tables(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migrations' ORDER BY 1",
  );
  return rows.map(({ name }) => name);
}

/** Every row of every table as JSON, sorted. */
async function contents(client: Client): Promise<Record<string, Record<string, unknown>[]>> {
  const all: Record<string, Record<string, unknown>[]> = {};
  for (const table of await tables(client)) {
    const { rows } = await client.query<{ row: Record<string, unknown> }>(
      `SELECT to_jsonb(t) AS row FROM ${table} t ORDER BY to_jsonb(t)::text`,
    );
    all[table] = rows.map(({ row }) => row);
  }
  return all;
}

test("[DB1] each migration applies to the schema before it with rows in every table, and keeps them", async () => {
  const connectionString = await server.empty();
  for (const [index, file] of FILES.entries()) {
    const before = await connected(connectionString, contents);
    const { applied } = await migrate({ connectionString, directory: MIGRATIONS, upTo: index + 1 });
    expect(applied).toEqual([file.replace(/\.sql$/, "")]);
    await connected(connectionString, async (client) => {
      const after = await contents(client);
      for (const [table, rows] of Object.entries(before)) {
        // A migration may add columns; what stood in the others stays.
        const kept = after[table]?.map((row) =>
          Object.fromEntries(Object.keys(rows[0] ?? {}).map((column) => [column, row[column]])),
        );
        expect(kept, `${table} after ${file}`).toEqual(rows);
      }
      const rows = ROWS_AFTER[file];
      expect(rows, `${file} has no line in ROWS_AFTER`).toBeDefined();
      await client.query(rows ?? "");
      for (const [table, filled] of Object.entries(await contents(client))) {
        expect(filled.length, `${table} has no row in ROWS_AFTER`).toBeGreaterThan(0);
      }
    });
  }
}, 60_000);

test("[DB2] migrating again does nothing", async () => {
  const connectionString = await server.migrated();
  const before = await connected(connectionString, (client) => client.query("SELECT * FROM schema_migrations"));
  expect(await migrate({ connectionString, directory: MIGRATIONS })).toEqual({ applied: [], version: FILES.length });
  const after = await connected(connectionString, (client) => client.query("SELECT * FROM schema_migrations"));
  expect(after.rows).toEqual(before.rows);
});

test("[DB3] of eight starts at once each migration is applied by one, and all see the whole schema", async () => {
  const connectionString = await server.empty();
  const results = await Promise.all(
    Array.from({ length: 8 }, () => migrate({ connectionString, directory: MIGRATIONS })),
  );
  expect(results.map(({ version }) => version)).toEqual(Array.from({ length: 8 }, () => FILES.length));
  expect(results.flatMap(({ applied }) => applied).toSorted()).toEqual(FILES.map((file) => file.replace(/\.sql$/, "")));
}, 60_000);

test("[DB4] a migration that fails leaves the schema as it was, and the ones before it applied", async () => {
  const directory = mkdtempSync(join(tmpdir(), "lescopains-migrations-"));
  try {
    writeFileSync(join(directory, "0001-one.sql"), "CREATE TABLE one (id int);");
    writeFileSync(join(directory, "0002-two.sql"), "CREATE TABLE two (id int);\nALTER TABLE nowhere ADD x int;");
    const connectionString = await server.empty();
    await expect(migrate({ connectionString, directory })).rejects.toThrow(/0002-two\.sql/);
    expect(await connected(connectionString, tables)).toEqual(["one"]);
    writeFileSync(join(directory, "0002-two.sql"), "CREATE TABLE two (id int);");
    expect(await migrate({ connectionString, directory })).toEqual({ applied: ["0002-two"], version: 2 });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

/** Tables and columns whose names the product's owner gave. */
const OWNER_NAMES: Readonly<Record<string, readonly string[]>> = {
  users: ["id", "username"],
  servers: ["id", "name", "icon_url", "owner_id", "encrypted", "created_at"],
  server_members: ["server_id", "user_id", "roles", "joined_at"],
  roles: ["server_id", "name", "permissions", "color"],
  channels: ["server_id", "name", "type", "position", "encrypted"],
  messages: [
    "channel_id",
    "author_id",
    "content",
    "content_type",
    "metadata",
    "encrypted",
    "created_at",
    "edited_at",
    "parent_message_id",
    "pinned",
  ],
  reactions: ["message_id", "user_id", "emoji"],
  friendships: ["user_id", "friend_id", "status"],
  dm_channels: [],
  dm_participants: [],
  dm_messages: ["sender_id", "ciphertext"],
  voice_sessions: ["channel_id", "user_id", "joined_at", "left_at"],
  prekeys: ["user_id", "key_id", "public_key", "used"],
};

test("[DB5] the tables and columns that the owner named are there, with the types they were given", async () => {
  const connectionString = await server.migrated();
  await connected(connectionString, async (client) => {
    const { rows } = await client.query<{ table: string; column: string; type: string }>(
      `SELECT table_name AS table, column_name AS column, data_type AS type
       FROM information_schema.columns WHERE table_schema = 'public'`,
    );
    const types = new Map(rows.map(({ table, column, type }) => [`${table}.${column}`, type]));
    for (const [table, columns] of Object.entries(OWNER_NAMES)) {
      for (const column of columns) expect(types.has(`${table}.${column}`), `${table}.${column}`).toBe(true);
    }
    expect(types.get("roles.permissions")).toBe("bigint");
    expect(types.get("messages.metadata")).toBe("jsonb");
    const refusedType = client.query(
      `INSERT INTO users (id, username, display_name, password_hash) VALUES (${ADA}, 'a', 'a', '');
       INSERT INTO channels (id, name, type) VALUES (${CHANNEL}, 'x', 'forum')`,
    );
    await expect(refusedType).rejects.toThrow(/check constraint/);
    for (const type of ["text", "voice", "dm", "group_dm"]) {
      await client.query("INSERT INTO channels (id, name, type) VALUES (gen_random_uuid(), 'x', $1)", [type]);
    }
  });
});

test("[DB6] an account that goes leaves its messages without an author, and takes all else of its own with it", async () => {
  const connectionString = await server.migrated();
  await connected(connectionString, async (client) => {
    for (const file of FILES) await client.query(ROWS_AFTER[file] ?? "");
    await client.query(`UPDATE servers SET owner_id = ${BOB}`);
    await client.query(`DELETE FROM users WHERE id = ${ADA}`);
    const rows = await contents(client);
    expect(rows["messages"]).toMatchObject([{ author_id: null, content: "bonjour" }, { content: "" }]);
    expect(rows["dm_messages"]).toMatchObject([{ sender_id: null }]);
    expect(rows["prekeys"]).toHaveLength(1);
    expect(rows["envelopes"]).toEqual([]);
    expect(rows["vault_records"]).toHaveLength(1);
    expect(rows["handoffs"]).toEqual([]);
    // What operators did stays, with the names as they were.
    const { operator_log: log, ...others } = rows;
    expect(log).toMatchObject([{ operator_name: "Ada" }]);
    const text = JSON.stringify(others);
    expect(text).not.toContain(ADA.replaceAll("'", ""));
    expect(text).not.toMatch(/ada@example/);
  });
});

test("[DB7] every foreign key is served by an index, so that removing what it points to reads no whole table", async () => {
  const connectionString = await server.migrated();
  const { rows } = await connected(connectionString, (client) =>
    client.query<{ key: string }>(
      `SELECT c.conrelid::regclass || '.' || c.conname AS key
       FROM pg_constraint c
       WHERE c.contype = 'f' AND NOT EXISTS (
         SELECT FROM pg_index i
         WHERE i.indrelid = c.conrelid AND i.indisvalid
           AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey
           -- A partial index serves when it leaves out nothing but the rows without a reference.
           AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) LIKE '(% IS NOT NULL)')
       )`,
    ),
  );
  expect(rows).toEqual([]);
});
