import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Pool, type PoolClient, TypeOverrides, types } from "pg";
import type { Statement } from "../../edge/src/db/port.ts";
import { migrate } from "../../tools/stack/migrate.ts";
import { startPostgres } from "../../tools/stack/postgres.ts";
import { startSupervisor } from "../../tools/stack/supervisor.ts";

/** The real migrations. */
export const MIGRATIONS: string = join(import.meta.dirname, "../../migrations");

/** A PostgreSQL 17 of a test file, with as many databases as it asks for. */
export interface Server {
  /** Makes an empty database; answers its connection string. */
  empty(): Promise<string>;
  /** Makes a database with the whole schema. */
  migrated(): Promise<string>;
  /** Copies a database that nobody is connected to. */
  copyOf(connectionString: string): Promise<string>;
  stop(): Promise<void>;
}

export async function startServer(): Promise<Server> {
  const dataDir = mkdtempSync(join(tmpdir(), "lescopains-pg-"));
  const supervisor = startSupervisor({ recordFile: join(dataDir, "processes.json"), onCrash: () => undefined });
  const postgres = await startPostgres({
    dataDir,
    logFile: join(dataDir, "postgres.log"),
    password: randomBytes(16).toString("hex"),
    supervisor,
    log: () => undefined,
  });
  const stop = async (): Promise<void> => {
    await postgres.stop();
    supervisor.close();
    rmSync(dataDir, { recursive: true, force: true });
  };
  let made = 0;
  const create = async (how: string): Promise<string> => {
    made += 1;
    const admin = new Client({ connectionString: postgres.connectionString });
    await admin.connect();
    await admin.query(`CREATE DATABASE test_${made} ${how}`);
    await admin.end();
    const url = new URL(postgres.connectionString);
    url.pathname = `/test_${made}`;
    return url.href;
  };
  const empty = (): Promise<string> => create("");
  return {
    empty,
    copyOf: (connectionString) => create(`TEMPLATE ${new URL(connectionString).pathname.slice(1)} STRATEGY file_copy`),
    migrated: async () => {
      const connectionString = await empty();
      await migrate({ connectionString, directory: MIGRATIONS });
      return connectionString;
    },
    stop,
  };
}

/** BIGINT as number and timestamps as ISO text, as the edge's gate reads them. */
const gateTypes = new TypeOverrides();
gateTypes.setTypeParser(types.builtins.INT8, Number);
gateTypes.setTypeParser(types.builtins.TIMESTAMPTZ, (text: string) => new Date(text).toISOString());

/** Connections that read rows as the edge does. */
export function openPool(connectionString: string, max = 4): Pool {
  const pool = new Pool({ connectionString, max, types: gateTypes });
  // A connection may still hear that PostgreSQL stops: idle ones report it to the pool, those being closed to themselves.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

/** Runs one of the edge's statements as its gate does: prepared under its name. */
export async function run<Values extends readonly unknown[], Row>(
  on: Pool | PoolClient,
  statement: Statement<Values, Row>,
  values: Values,
): Promise<Row[]> {
  const { rows } = await on.query({ name: statement.name, text: statement.text, values: [...values] });
  return rows as Row[];
}
