import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { OperatorError } from "../../tools/operator-error.ts";
import { migrate } from "../../tools/stack/migrate.ts";
import { startPostgres } from "../../tools/stack/postgres.ts";
import type { Postgres } from "../../tools/stack/postgres.ts";
import { rootFolder } from "../../tools/stack/root.ts";
import { startSupervisor } from "../../tools/stack/supervisor.ts";
import type { Supervisor } from "../../tools/stack/supervisor.ts";

let folder: string;
let supervisor: Supervisor;
let postgres: Postgres;
let databases = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lescopains-migrate-"));
  supervisor = startSupervisor({ recordFile: join(folder, "processes.json"), onCrash: () => undefined });
  const logFile = join(folder, "postgres.log");
  postgres = await startPostgres({ dataDir: folder, logFile, password: "of-a-test", supervisor, log: () => undefined });
});

afterAll(async () => {
  await postgres.stop();
  supervisor.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs one query in a connection of its own. */
async function query(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** An empty database. */
async function freshDatabase(): Promise<string> {
  databases += 1;
  await query(postgres.connectionString, `create database test_${databases}`);
  const url = new URL(postgres.connectionString);
  url.pathname = `/test_${databases}`;
  return url.href;
}

/** A folder of migrations of the test's own. */
function migrations(files: Readonly<Record<string, string>>): string {
  const directory = join(folder, `migrations-${databases}-${Math.random().toString(36).slice(2)}`);
  mkdirSync(directory);
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const [name, sql] of Object.entries(files)) writeFileSync(join(directory, name), sql);
  return directory;
}

const two = {
  "0001-fruit.sql": "create table fruit (name text);",
  "0002-taste.sql": "alter table fruit add taste text;",
};

test("[MG1] migrations are applied in order, once", async () => {
  const connectionString = await freshDatabase();
  const directory = migrations(two);
  expect(await migrate({ connectionString, directory })).toEqual({ applied: ["0001-fruit", "0002-taste"], version: 2 });
  expect(await migrate({ connectionString, directory })).toEqual({ applied: [], version: 2 });
  const rows = await query(
    connectionString,
    "select version, name, applied_at <= now() as past from schema_migrations order by 1",
  );
  expect(rows).toEqual([
    { version: 1, name: "0001-fruit", past: true },
    { version: 2, name: "0002-taste", past: true },
  ]);
});

test("[MG2] upTo stops early, and the rest is applied later", async () => {
  const connectionString = await freshDatabase();
  const directory = migrations(two);
  expect(await migrate({ connectionString, directory, upTo: 1 })).toEqual({ applied: ["0001-fruit"], version: 1 });
  expect(await migrate({ connectionString, directory })).toEqual({ applied: ["0002-taste"], version: 2 });
});

test("[MG3] a file that fails leaves nothing of itself, keeps those before it, and is named with its line", async () => {
  const connectionString = await freshDatabase();
  const directory = migrations({
    "0001-fruit.sql": two["0001-fruit.sql"],
    "0002-bad.sql": "create table other (id int);\ninsert into nowhere values (1);",
  });
  await expect(migrate({ connectionString, directory })).rejects.toThrow(/0002-bad\.sql:2 failed: .*nowhere/);
  expect(
    await query(connectionString, "select to_regclass('other') as other, to_regclass('fruit')::text as fruit"),
  ).toEqual([{ other: null, fruit: "fruit" }]);
});

test("[MG4] a changed file is refused, other line ends are no change", async () => {
  const connectionString = await freshDatabase();
  const sql = "create table fruit (\nname text);\n";
  await migrate({ connectionString, directory: migrations({ "0001-fruit.sql": sql }) });
  const windows = migrations({ "0001-fruit.sql": sql.replaceAll("\n", "\r\n") });
  expect(await migrate({ connectionString, directory: windows })).toEqual({ applied: [], version: 1 });
  const changed = migrations({ "0001-fruit.sql": "create table fruit (name text not null);" });
  const error: unknown = await migrate({ connectionString, directory: changed }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(OperatorError);
  expect(String(error)).toContain("0001-fruit");
});

test("[MG5] a database that is newer than the code is refused", async () => {
  const connectionString = await freshDatabase();
  await migrate({ connectionString, directory: migrations(two) });
  const older = migrations({ "0001-fruit.sql": two["0001-fruit.sql"] });
  await expect(migrate({ connectionString, directory: older })).rejects.toThrow(
    /newer than this LesCopains .*0002-taste/,
  );
});

test("[MG6] gaps, doubles and names of another form are refused before anything is applied", async () => {
  const connectionString = await freshDatabase();
  for (const name of ["0003-later.sql", "0001-again.sql", "2-short.sql", "0002-Capital.sql"]) {
    const directory = migrations({ "0001-fruit.sql": two["0001-fruit.sql"], [name]: "select 1;" });
    await expect(migrate({ connectionString, directory })).rejects.toThrow(/migrations are named NNNN-name\.sql/);
  }
  expect(await query(connectionString, "select to_regclass('fruit') as fruit")).toEqual([{ fruit: null }]);
});

test("[MG7] starts at the same time take turns", async () => {
  const connectionString = await freshDatabase();
  const directory = migrations({
    "0001-fruit.sql": "create table fruit (name text); select pg_sleep(0.2);",
    "0002-taste.sql": two["0002-taste.sql"],
  });
  const results = await Promise.all([1, 2, 3].map(() => migrate({ connectionString, directory })));
  expect(results.map(({ applied }) => applied.length).toSorted((a, b) => a - b)).toEqual([0, 0, 2]);
});

test("[MG8] a file may not end the transaction it runs in", async () => {
  const connectionString = await freshDatabase();
  const directory = migrations({ "0001-fruit.sql": "create table fruit (name text); commit; select 1;" });
  await expect(migrate({ connectionString, directory })).rejects.toThrow(/ends the transaction/);
});

test("[MG9] the product's migrations apply to an empty database, and a second time do nothing", async () => {
  const connectionString = await freshDatabase();
  const directory = join(rootFolder, "migrations");
  const { applied, version } = await migrate({ connectionString, directory });
  expect(applied.length).toBeGreaterThan(0);
  expect(await migrate({ connectionString, directory })).toEqual({ applied: [], version });
});
