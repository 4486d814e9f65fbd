import { pipeline } from "node:stream/promises";
import { Client } from "pg";
import { to as copyTo } from "pg-copy-streams";
import type { Add } from "./archive.ts";
import { type End, entryNames, type Manifest, partName } from "./manifest.ts";

/** Rows are put together to parts of this size, so that memory holds one of them and not a table. */
const partBytes = 4 * 1024 * 1024;

/** A quoted identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * Reads a whole database in one transaction that sees a single moment (REPEATABLE READ), while others go on writing, and adds it to an archive.
 * Unlogged tables are left out: they hold what may be lost. Answers the rows in all.
 */
export async function dump(connectionString: string, secrets: string, add: Add): Promise<number> {
  const client = new Client({ connectionString, application_name: "lescopains backup" });
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.query("begin isolation level repeatable read read only");
    const manifest = await describe(client);
    await add(entryNames.manifest, json(manifest));
    await add(entryNames.secrets, Buffer.from(secrets));
    const rows: End["rows"] = {};
    for (const table of manifest.tables) rows[table.name] = await copyTable(client, table, add);
    const end: End = { rows, sequences: await sequencesOf(client) };
    await client.query("commit");
    // Without it an archive is not whole.
    await add(entryNames.end, json(end));
    return Object.values(rows).reduce((sum, count) => sum + count, 0);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function json(value: Manifest | End): Buffer {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}

async function describe(client: Client): Promise<Manifest> {
  const { rows: migrations } = await client.query<Manifest["migrations"][number]>(
    "select version, name, checksum from schema_migrations order by version",
  );
  const { rows: tables } = await client.query<Manifest["tables"][number]>(
    `select t.relname::text as name, array_agg(c.attname::text order by c.attnum) as columns
       from pg_class t
       join pg_attribute c on c.attrelid = t.oid and c.attnum > 0 and not c.attisdropped and c.attgenerated = ''
      where t.relnamespace = 'public'::regnamespace and t.relkind = 'r' and t.relpersistence = 'p'
      group by t.relname order by t.relname`,
  );
  const { rows: now } = await client.query<{ at: Date }>("select transaction_timestamp() as at");
  const takenAt = (now[0]?.at ?? new Date()).toISOString();
  return { format: "lescopains backup 1", takenAt, migrations, tables };
}

async function copyTable(client: Client, { name, columns }: Manifest["tables"][number], add: Add): Promise<number> {
  const copy = client.query(
    copyTo(`copy ${identifier(name)} (${columns.map(identifier).join(", ")}) to stdout with (format text)`),
  );
  let part = 0;
  let held: Buffer[] = [];
  let heldBytes = 0;
  const addPart = async (): Promise<void> => {
    if (heldBytes === 0) return;
    const bytes = Buffer.concat(held);
    held = [];
    heldBytes = 0;
    await add(partName(name, part), bytes);
    part += 1;
  };
  await pipeline(copy, async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      held.push(chunk);
      heldBytes += chunk.length;
      if (heldBytes >= partBytes) await addPart();
    }
    await addPart();
  });
  return copy.rowCount;
}

/** Sequences belong to no moment: what was read last covers what the tables hold. */
async function sequencesOf(client: Client): Promise<End["sequences"]> {
  const { rows } = await client.query<{ name: string; last: string }>(
    `select sequencename::text as name, coalesce(last_value, 0)::text as last
       from pg_sequences where schemaname = 'public' order by sequencename`,
  );
  return Object.fromEntries(rows.map(({ name, last }) => [name, last]));
}
