import { Gauge, Registry } from "prom-client";
import { database, DatabaseError, statement } from "../db/port.ts";
import { gatewayActors, pgGate, sfuRegistry } from "../platform/actors.ts";
import type { Env } from "../platform/env.ts";
import { counted } from "../platform/metrics.ts";

const databaseSize = statement<[], { bytes: number }>(
  "database size",
  "SELECT pg_database_size(current_database()) AS bytes",
);

/** What is asked of those who know, at each look: true wherever this runs. */
const asked = new Registry();
const registers = [asked];
const sockets = new Gauge({
  name: "lescopains_sockets",
  help: "Connected sockets",
  labelNames: ["shard"],
  registers,
});
const users = new Gauge({ name: "lescopains_users", help: "People with a socket", labelNames: ["shard"], registers });
const connections = new Gauge({
  name: "lescopains_pg_connections",
  help: "Connections to PostgreSQL",
  labelNames: ["state"],
  registers,
});
const waiting = new Gauge({
  name: "lescopains_pg_waiting",
  help: "Statements that wait for a connection",
  registers,
});
const up = new Gauge({ name: "lescopains_postgres_up", help: "1 when PostgreSQL answers", registers });
const bytes = new Gauge({ name: "lescopains_database_bytes", help: "Size of the database", registers });
const nodes = new Gauge({
  name: "lescopains_sfu_nodes",
  help: "Voice nodes that are known",
  labelNames: ["state"],
  registers,
});

/** Numbers for Prometheus. `oneProcess`: everything runs in this process, so that what it has counted is all there is. */
export async function metricsText(env: Env, oneProcess: boolean): Promise<string> {
  await Promise.all([askGateways(env), askPool(env), askDatabase(env), askNodes(env)]);
  return oneProcess ? `${await asked.metrics()}\n${await counted.metrics()}` : asked.metrics();
}

async function askGateways(env: Env): Promise<void> {
  await Promise.all(
    gatewayActors(env).map(async (gateway, shard) => {
      const stats = await gateway.stats();
      sockets.set({ shard }, stats.sockets);
      users.set({ shard }, stats.users);
    }),
  );
}

async function askPool(env: Env): Promise<void> {
  const pool = await pgGate(env).stats();
  connections.set({ state: "busy" }, pool.busy);
  connections.set({ state: "idle" }, pool.idle);
  waiting.set(pool.waiting);
}

async function askDatabase(env: Env): Promise<void> {
  try {
    const [row] = await database(env).query(databaseSize, []);
    up.set(1);
    bytes.set(row?.bytes ?? 0);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    up.set(0);
  }
}

async function askNodes(env: Env): Promise<void> {
  const known = await sfuRegistry(env).nodes();
  const draining = known.filter((node) => node.draining).length;
  const away = known.filter((node) => !node.connected).length;
  nodes.set({ state: "draining" }, draining);
  nodes.set({ state: "away" }, away);
  nodes.set({ state: "ready" }, known.filter((node) => node.connected && !node.draining).length);
}
