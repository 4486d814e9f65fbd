import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Client, DatabaseError } from "pg";
import { OperatorError } from "../operator-error.ts";

export interface MigrateOptions {
  readonly connectionString: string;
  /** The folder of the `NNNN-name.sql` files. */
  readonly directory: string;
  /** The last version to apply; all when left out. */
  readonly upTo?: number;
}

export interface MigrateResult {
  /** The names of the files applied now, in order. */
  readonly applied: readonly string[];
  /** The version the database is at. */
  readonly version: number;
}

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the text with Unix line ends, hexadecimal. */
  readonly checksum: string;
}

interface AppliedRow {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

const historyTable = `create table schema_migrations (
  version integer primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now()
)`;

/** Two starts at once take turns on this advisory lock; any number will do as long as it never changes. */
const lockKey = 4_675_206_187n;

function readMigrations(directory: string): Migration[] {
  const files = readdirSync(directory).filter((file) => file.endsWith(".sql"));
  return files.toSorted().map((file, index) => {
    const version = Number(/^(\d{4})-[a-z0-9]+(?:-[a-z0-9]+)*\.sql$/.exec(file)?.[1]);
    if (version !== index + 1) {
      throw new Error(
        `${file}: migrations are named NNNN-name.sql, from 0001 without gaps; this should be number ${index + 1}`,
      );
    }
    const sql = readFileSync(join(directory, file), "utf8").replaceAll("\r\n", "\n");
    return { version, name: file.replace(/\.sql$/, ""), sql, checksum: createHash("sha256").update(sql).digest("hex") };
  });
}

/** The database's history must be the beginning of the code's. */
function assertSameHistory(migrations: readonly Migration[], rows: readonly AppliedRow[]): void {
  for (const row of rows) {
    const migration = migrations[row.version - 1];
    if (migration === undefined) {
      throw new OperatorError(
        `The database is newer than this LesCopains (it has ${row.name}, this knows ${migrations.length} migrations): update the code, or restore a backup`,
      );
    }
    if (migration.checksum !== row.checksum) {
      throw new OperatorError(
        `Migration ${row.name} is not the one that was applied to this database (${migration.name} differs): restore the file as it was, changes go into a new one`,
      );
    }
  }
}

/** The files that made a database with this history, in order. OperatorErrors as for `migrate`. */
export function migrationsUpTo(directory: string, history: readonly AppliedRow[]): readonly { readonly sql: string }[] {
  const migrations = readMigrations(directory);
  assertSameHistory(migrations, history);
  return [{ sql: historyTable }, ...migrations.slice(0, history.length)];
}

function lineOf(sql: string, error: unknown): string {
  const position = error instanceof DatabaseError ? Number(error.position) : Number.NaN;
  return Number.isNaN(position) ? "" : `:${sql.slice(0, position).split("\n").length}`;
}

async function apply(client: Client, { version, name, sql, checksum }: Migration): Promise<void> {
  await client.query("begin");
  try {
    const before = await client.query<{ id: string }>("select pg_current_xact_id()::text as id");
    await client.query(sql);
    const after = await client.query<{ id: string }>("select pg_current_xact_id()::text as id");
    if (before.rows[0]?.id !== after.rows[0]?.id) throw new Error("it ends the transaction it runs in");
    await client.query("insert into schema_migrations (version, name, checksum) values ($1, $2, $3)", [
      version,
      name,
      checksum,
    ]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw new Error(
      `Migration ${name}.sql${lineOf(sql, error)} failed: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
}

/**
 * Brings a database to the schema of the code: forward only, each file in a transaction of its own, one process at a time.
 * Run again, it does nothing. A changed file, or a database that is ahead of the code, is an OperatorError.
 */
export async function migrate({ connectionString, directory, upTo }: MigrateOptions): Promise<MigrateResult> {
  const migrations = readMigrations(directory);
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [lockKey.toString()]);
    // "if not exists" would still print a notice at every start.
    const { rows: tables } = await client.query<{ found: boolean }>(
      "select to_regclass('schema_migrations') is not null as found",
    );
    if (tables[0]?.found !== true) {
      await client.query(historyTable);
    }
    const { rows } = await client.query<AppliedRow>(
      "select version, name, checksum from schema_migrations order by version",
    );
    assertSameHistory(migrations, rows);
    const last = upTo ?? migrations.length;
    const missing = migrations.slice(rows.length, Math.max(rows.length, last));
    for (const migration of missing) await apply(client, migration);
    return { applied: missing.map(({ name }) => name), version: rows.length + missing.length };
  } finally {
    // Ending the session gives the advisory lock back.
    await client.end();
  }
}
