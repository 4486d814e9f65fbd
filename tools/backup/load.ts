import { once } from "node:events";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import * as v from "valibot";
import { OperatorError } from "../operator-error.ts";
import { migrationsUpTo } from "../stack/migrate.ts";
import { readArchive } from "./archive.ts";
import { identifier } from "./dump.ts";
import { beginGeneration, numberGap } from "./generation.ts";
import { End, entryNames, Manifest, tableOf } from "./manifest.ts";

/**
 * An edge that runs opens a connection at least this often (each 15 s, by the gateways' sweep) while anyone is connected; without anyone it
 * forgets everything within 10 s, and goes on with what is restored.
 */
export const edgeShowsWithinMs = 17_000;
const lookEveryMs = 500;

/** What an archive was found to hold. */
export interface Checked {
  readonly manifest: Manifest;
  readonly secrets: string;
  readonly end: End;
}

/** Reads an archive from its first to its last byte; an OperatorError says what is wrong with it. Nothing is touched. */
export async function check(path: string, passphrase: string): Promise<Checked> {
  let manifest: Manifest | undefined;
  let secrets: string | undefined;
  let end: End | undefined;
  for await (const { name, bytes } of readArchive(path, passphrase)) {
    if (name === entryNames.manifest) manifest = parse(Manifest, bytes, path);
    else if (name === entryNames.secrets) secrets = bytes.toString("utf8");
    else if (name === entryNames.end) end = parse(End, bytes, path);
    else if (tableOf(name) === undefined)
      throw new OperatorError(`${path} is no backup of LesCopains: it holds ${name}`);
  }
  if (manifest === undefined || secrets === undefined || end === undefined)
    throw new OperatorError(`${path} is not whole: use another backup`);
  return { manifest, secrets, end };
}

function parse<T>(schema: v.GenericSchema<unknown, T>, bytes: Buffer, path: string): T {
  try {
    return v.parse(v.pipe(v.string(), v.parseJson(), schema), bytes.toString("utf8"));
  } catch (cause) {
    throw new OperatorError(`${path} was made by another version of LesCopains, which wrote something else`, { cause });
  }
}

export interface LoadOptions {
  readonly connectionString: string;
  /** The folder of the `NNNN-name.sql` files. */
  readonly migrations: string;
  readonly path: string;
  readonly passphrase: string;
  readonly checked: Checked;
  /** Takes the place of what is in the database; otherwise it must be empty. */
  readonly replace: boolean;
  /** For how long the edge is listened for, if it may be running: `edgeShowsWithinMs`, or 0 if it cannot. */
  readonly watchMs: number;
}

/**
 * Puts an archive into a database, in one transaction: all of it, or nothing has changed. The schema is made by the same migrations that made it
 * before, to the version it had. Answers the rows in all.
 */
export async function load(options: LoadOptions): Promise<number> {
  const { connectionString, migrations, path, passphrase, checked } = options;
  const files = migrationsUpTo(migrations, checked.manifest.migrations);
  const client = new Client({ connectionString, application_name: "lescopains restore" });
  client.on("error", () => undefined);
  await client.connect();
  try {
    const before = await tablesOf(client);
    const accounts = before.includes("users") ? await countAccounts(client) : 0;
    if (accounts > 0) {
      if (!options.replace) {
        throw new OperatorError(
          `There are ${accounts} accounts in this installation: to put the backup in their place, say --replace`,
        );
      }
      await assertAlone(client, options.watchMs);
    }
    await client.query("begin");
    // Functions and types too: the migrations make everything that is in it.
    if (before.length > 0) await client.query("drop schema public cascade; create schema public");
    for (const { sql } of files) await client.query(sql);
    const keys = await takeForeignKeys(client);
    const made = await tablesOf(client);
    // What triggers would do has been done to the rows before.
    await eachTable(client, made, "disable trigger user");
    await client.query(`truncate ${made.map(identifier).join(", ")}`);
    const rows = await copyTables(client, path, passphrase, checked);
    await beginGeneration(client, made);
    await eachTable(client, made, "enable trigger user");
    for (const sql of keys) await client.query(sql);
    for (const [name, last] of Object.entries(checked.end.sequences)) {
      await client.query("select setval($1::text::regclass, $2::bigint + $3::bigint)", [
        identifier(name),
        last,
        numberGap,
      ]);
    }
    await client.query("commit");
    await client.query("analyze");
    return rows;
  } finally {
    // Without a commit everything is as it was.
    await client.end().catch(() => undefined);
  }
}

/** A running edge would go on with what it remembers of the data of before. */
async function assertAlone(client: Client, watchMs: number): Promise<void> {
  for (const deadline = Date.now() + watchMs; ; await sleep(lookEveryMs)) {
    const { rowCount } = await client.query(
      `select 1 from pg_stat_activity where application_name = 'lescopains' and datname = current_database() limit 1`,
    );
    if (rowCount !== 0) throw new OperatorError("LesCopains is running on this database: stop it, then restore");
    if (Date.now() >= deadline) return;
  }
}

async function tablesOf(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "select relname::text as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1",
  );
  return rows.map(({ name }) => name);
}

async function eachTable(client: Client, tables: readonly string[], action: string): Promise<void> {
  for (const table of tables) await client.query(`alter table ${identifier(table)} ${action}`);
}

async function countAccounts(client: Client): Promise<number> {
  const { rows } = await client.query<{ accounts: number }>("select count(*)::integer as accounts from users");
  return rows[0]?.accounts ?? 0;
}

/** Rows come in no order that foreign keys would take: they are dropped, and what makes (and checks) them again is answered. */
async function takeForeignKeys(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ drop: string; add: string }>(
    `select format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop,
            format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as add
       from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace`,
  );
  for (const { drop } of rows) await client.query(drop);
  return rows.map(({ add }) => add);
}

/** A table that rows are being written to. */
interface OpenCopy {
  readonly table: string;
  readonly copy: ReturnType<typeof copyFrom>;
  /** Rejects with what PostgreSQL does not take. */
  readonly done: Promise<void>;
}

async function copyTables(client: Client, path: string, passphrase: string, checked: Checked): Promise<number> {
  const columns = new Map(checked.manifest.tables.map((table) => [table.name, table.columns]));
  const counts = new Map<string, number>();
  let current: OpenCopy | undefined;
  const finish = async (): Promise<void> => {
    if (current === undefined) return;
    const { table, copy, done } = current;
    copy.end();
    await done;
    counts.set(table, copy.rowCount);
    current = undefined;
  };
  for await (const { name, bytes } of readArchive(path, passphrase)) {
    const table = tableOf(name);
    if (table === undefined) continue;
    if (current?.table !== table) {
      await finish();
      const list = (columns.get(table) ?? []).map(identifier).join(", ");
      const copy = client.query(copyFrom(`copy ${identifier(table)} (${list}) from stdin with (format text)`));
      const done = finished(copy);
      // Told where it is waited for.
      done.catch(() => undefined);
      current = { table, copy, done };
    }
    if (!current.copy.write(bytes)) await Promise.race([once(current.copy, "drain"), current.done]);
  }
  await finish();
  for (const [table, expected] of Object.entries(checked.end.rows)) {
    if ((counts.get(table) ?? 0) !== expected)
      throw new Error(`${table} has ${counts.get(table) ?? 0} rows instead of ${expected}`);
  }
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
