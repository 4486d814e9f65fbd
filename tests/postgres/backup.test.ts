import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readArchive, writeArchive as write } from "../../tools/backup/archive.ts";
import { dump } from "../../tools/backup/dump.ts";
import { check, load } from "../../tools/backup/load.ts";
import { migrate } from "../../tools/stack/migrate.ts";
import { MIGRATIONS, type Server, startServer } from "./server.ts";

const passphrase = "a passphrase of the test";
/** Guesses are cheap here. */
const writeArchive = (path: string, secret: string, fill: Parameters<typeof write>[2]) => write(path, secret, fill, 10);
let server: Server;
let folder: string;
beforeAll(async () => {
  server = await startServer();
  folder = mkdtempSync(join(tmpdir(), "lescopains-load-"));
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function rowsOf(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const namesOf = (url: string): Promise<unknown[]> => rowsOf(url, "SELECT username FROM users ORDER BY username");

/** A database with these people, whose names hold what COPY's text format must escape. */
async function withPeople(...names: string[]): Promise<string> {
  const url = await server.migrated();
  for (const name of names) {
    const values = `'${randomUUID()}', '${name}', E'tab\\t, line\\n, backslash \\\\ and \\\\N', 'x'`;
    await rowsOf(url, `INSERT INTO users (id, username, display_name, password_hash) VALUES (${values})`);
  }
  return url;
}

async function archiveOf(url: string): Promise<string> {
  const path = join(folder, randomUUID());
  await writeArchive(path, passphrase, async (add) => {
    await dump(url, "{}", add);
  });
  return path;
}

async function into(connectionString: string, path: string, replace: boolean): Promise<number> {
  const checked = await check(path, passphrase);
  return load({ connectionString, migrations: MIGRATIONS, path, passphrase, checked, replace, watchMs: 0 });
}

/** The archive with one of its entries changed. */
async function changed(path: string, entry: string, change: (value: never) => unknown): Promise<string> {
  const other = join(folder, randomUUID());
  await writeArchive(other, passphrase, async (add) => {
    for await (const { name, bytes } of readArchive(path, passphrase)) {
      const json = (): unknown => change(JSON.parse(bytes.toString("utf8")) as never);
      await add(name, name === entry ? Buffer.from(JSON.stringify(json())) : bytes);
    }
  });
  return other;
}

test("[BK6] a database is made again with its rows, constraints, indexes and numbers", async () => {
  const from = await withPeople("ada", "bob");
  const to = await server.empty();
  const path = await archiveOf(from);
  await into(to, path, false);
  const everything = "SELECT * FROM users ORDER BY username";
  expect(await rowsOf(to, everything)).toEqual(await rowsOf(from, everything));
  const shape = `SELECT conrelid::regclass::text AS t, conname, pg_get_constraintdef(oid) AS d FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2`;
  expect(await rowsOf(to, shape)).toEqual(await rowsOf(from, shape));
  const indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1";
  expect(await rowsOf(to, indexes)).toEqual(await rowsOf(from, indexes));
  const routines = `SELECT pg_get_functiondef(oid) AS d FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1`;
  expect(await rowsOf(to, routines)).toEqual(await rowsOf(from, routines));
  const triggers = `SELECT pg_get_triggerdef(oid) AS d, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1`;
  expect(await rowsOf(to, triggers)).toEqual(await rowsOf(from, triggers));
  const history = "SELECT * FROM schema_migrations ORDER BY version";
  expect(await rowsOf(to, history)).toEqual(await rowsOf(from, history));
});

test("[BK8] a backup of any version of the schema is restored, and numbers go on a million higher", async () => {
  const versions = readdirSync(MIGRATIONS).filter((name) => name.endsWith(".sql")).length;
  const [user, place, channel, quiet] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const numbers = `SELECT c.last_seq::integer AS last, r.seq::integer AS read FROM channels c JOIN read_marks r ON r.channel_id = c.id ORDER BY 2`;
  // Before and since it is known which event was the last message, and since there are generations.
  for (const version of new Set([3, 7, 8, 10, versions])) {
    const from = await server.empty();
    await migrate({ connectionString: from, directory: MIGRATIONS, upTo: version });
    await rowsOf(
      from,
      `INSERT INTO users (id, username, display_name, password_hash) VALUES ('${user}', 'ada', 'Ada', 'x');
       INSERT INTO servers (id, name, owner_id) VALUES ('${place}', 'place', '${user}');
       INSERT INTO channels (id, server_id, name, type, last_seq) VALUES ('${channel}', '${place}', 'read', 'text', 7), ('${quiet}', '${place}', 'not', 'text', 9);
       INSERT INTO read_marks (user_id, channel_id, seq) VALUES ('${user}', '${channel}', 7), ('${user}', '${quiet}', 3);`,
    );
    // Since there are reactions it is known which event was the last message.
    const knows = version >= 8;
    if (knows) await rowsOf(from, "UPDATE channels SET message_seq = last_seq - 1");
    const to = await server.empty();
    await into(to, await archiveOf(from), false);
    expect(await rowsOf(to, numbers), `version ${version}`).toEqual([
      { last: 1_000_009, read: 3 },
      { last: 1_000_007, read: knows ? 1_000_007 : 7 },
    ]);
    await migrate({ connectionString: to, directory: MIGRATIONS });
    expect(await rowsOf(to, "SELECT FROM instance WHERE generation IS NOT NULL")).toHaveLength(1);
  }
});

test("[BK7] what cannot be restored whole changes nothing; neither does a backup of a newer version", async () => {
  const path = await archiveOf(await withPeople("ada"));
  const target = await withPeople("cleo");
  const short = await changed(path, "end.json", (end: { rows: Record<string, number> }) => ({
    ...end,
    rows: { ...end.rows, users: 2 },
  }));
  await expect(into(target, short, true)).rejects.toThrow("users has 1 rows instead of 2");
  const newer = await changed(path, "manifest.json", (manifest: { migrations: object[] }) => ({
    ...manifest,
    migrations: [...manifest.migrations, { version: manifest.migrations.length + 1, name: "9999-later", checksum: "" }],
  }));
  await expect(into(target, newer, true)).rejects.toThrow("newer than this LesCopains");
  await expect(into(target, path, false)).rejects.toThrow("There are 1 accounts");
  expect(await namesOf(target)).toEqual([{ username: "cleo" }]);
  await into(target, path, true);
  expect(await namesOf(target)).toEqual([{ username: "ada" }]);
});
