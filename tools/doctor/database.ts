import { Client } from "pg";
import { OperatorError } from "../operator-error.ts";
import { type Hop, reasonOf, timeoutMs } from "./installation.ts";

interface DatabaseState {
  readonly version: string;
  readonly migrations: number;
  readonly nowMs: number;
}

export async function askDatabase(connectionString: string): Promise<DatabaseState> {
  const client = new Client({ connectionString, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string; migrations: string; now_ms: string }>(
      `select current_setting('server_version') as version,
              (select count(*) from schema_migrations) as migrations,
              (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error("the database answers nothing");
    return { version: row.version, migrations: Number(row.migrations), nowMs: Number(row.now_ms) };
  } catch (cause) {
    throw new OperatorError(
      `PostgreSQL does not answer (${reasonOf(cause)}): is it running? Look into its log (logs/postgres.log, or \`docker compose logs postgres\`)`,
      { cause },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

export const database: Hop = async ({ databaseUrl }) => {
  if (databaseUrl === undefined) return { note: "not looked at: that needs DATABASE_URL, on the machine itself" };
  const { version, migrations } = await askDatabase(databaseUrl);
  return `PostgreSQL ${version}, ${migrations} migrations applied`;
};
