import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Pool } from "pg";
import type { Place } from "../../flows/kit/place.ts";

/** Where a word could lie on the machine that runs the server. */
export interface Places {
  /** Every row of every table, as PostgreSQL writes it. */
  readonly rows: Buffer;
  /** The files of the database, the write-ahead log included. */
  readonly database: Buffer;
  /** What actors store. */
  readonly actors: Buffer;
  readonly logs: Buffer;
}

/** Reads everything that a server keeps. */
export async function placesOf({ sql, stack }: Place): Promise<Places> {
  const rows = await allRows(sql);
  // What is only in memory goes into the files.
  await sql.query("CHECKPOINT");
  const { rows: found } = await sql.query<{ data_directory: string }>("SHOW data_directory");
  return {
    rows,
    database: filesUnder(found[0]?.data_directory ?? ""),
    actors: filesUnder(join(stack.dataDir, "actors")),
    logs: filesUnder(join(stack.dataDir, "logs")),
  };
}

async function allRows(sql: Pool): Promise<Buffer> {
  const { rows: tables } = await sql.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const lines: string[] = [];
  for (const { name } of tables) {
    const { rows } = await sql.query<{ line: string }>(`SELECT t::text AS line FROM ${name} t`);
    lines.push(name, ...rows.map(({ line }) => line));
  }
  return Buffer.from(lines.join("\n"));
}

function filesUnder(folder: string): Buffer {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Buffer.concat(files.map(({ parentPath, name }) => readFileSync(join(parentPath, name))));
}
