import { Pool, type PoolConfig, types } from "pg";
import { type Env, settings } from "../../platform/env.ts";

type DatabaseEnv = Pick<Env, "HYPERDRIVE" | "DATABASE_URL" | "DATABASE_DRIVER" | "NEON_PROXY" | "PG_POOL_SIZE">;

/** For a new connection, or until another statement gives one back: neither a burst nor a machine that is busy with other things is an outage. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A database that sleeps when nobody asks (Neon's do) takes longer to come to the door. */
const WAKE_TIMEOUT_MS = 10_000;
/** PostgreSQL may still carry out what we gave up on: whoever changes something finds out at the next try. */
const ANSWER_TIMEOUT_MS = 10_000;
/** Idle connections pin the actor in memory, so they are given back soon (facts: pg in workerd). */
const IDLE_TIMEOUT_MS = 4_000;

/** What the gate asks of a driver. */
export interface ConnectionPool {
  /** Connections, those of them that nobody uses, and statements that wait for one. */
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  query(statement: { name: string; text: string; values: unknown[] }): Promise<{ rows: unknown[] }>;
}

interface TypeParsers {
  setTypeParser(oid: number, parse: (text: string) => unknown): void;
}

/** BIGINT and timestamps as db/port.ts promises them. */
function readAsPromised(parsers: TypeParsers): void {
  parsers.setTypeParser(types.builtins.INT8, Number);
  parsers.setTypeParser(types.builtins.TIMESTAMPTZ, (text) => new Date(text).toISOString());
}

/** How the database is reached: Hyperdrive where it is bound, else DATABASE_URL, over TCP or by Neon's driver over WebSockets. */
export async function openPool(env: DatabaseEnv, onLost: (error: Error) => void): Promise<ConnectionPool> {
  const config: PoolConfig = {
    connectionString: env.HYPERDRIVE?.connectionString ?? env.DATABASE_URL,
    max: settings(env).PG_POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    application_name: "lescopains",
  };
  const pool =
    env.HYPERDRIVE === undefined && settings(env).DATABASE_DRIVER === "neon"
      ? await neonPool({ ...config, connectionTimeoutMillis: WAKE_TIMEOUT_MS }, env.NEON_PROXY ?? "")
      : new Pool(config);
  readAsPromised(types);
  // A connection that PostgreSQL closes while idle reports here; the pool has already dropped it.
  pool.on("error", onLost);
  return pool;
}

/** @param proxy `ws://` or `wss://`: where something speaks WebSocket for a database that is not Neon's; empty for Neon. */
async function neonPool(config: PoolConfig, proxy: string) {
  // Evaluated only where it is used; it is nearly a copy of pg.
  const neon = await import("@neondatabase/serverless");
  if (proxy !== "") {
    const { protocol, host, pathname } = new URL(proxy);
    neon.neonConfig.wsProxy = (database, port) => `${host}${pathname}?address=${database}:${port}`;
    neon.neonConfig.useSecureWebSocket = protocol === "wss:";
    // Sends the password before it is asked for, which only Neon expects.
    neon.neonConfig.pipelineConnect = false;
  }
  readAsPromised(neon.types);
  const pool = new neon.Pool(config);
  return {
    get totalCount() {
      return pool.totalCount;
    },
    get idleCount() {
      return pool.idleCount;
    },
    get waitingCount() {
      return pool.waitingCount;
    },
    query: ({ values, ...statement }: Parameters<ConnectionPool["query"]>[0]) =>
      pool.query({ ...statement, values: values.map(bytesInArraysAsText) }),
    on: (event: "error", listener: (error: Error) => void) => pool.on(event, listener),
  };
}

/** The pg in Neon's driver (1.2.0) is an older one: it takes a bytea parameter as bytes, and a bytea[] only as PostgreSQL's text. */
function bytesInArraysAsText(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((one: unknown) => (one instanceof Uint8Array ? `\\x${hex(one)}` : one));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
