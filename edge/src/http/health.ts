import { type Database, database, DatabaseError, statement } from "../db/port.ts";
import { gatewayActors } from "../platform/actors.ts";
import type { Env } from "../platform/env.ts";
import type { App } from "./route.ts";

const alive = statement<[], { one: number }>("alive", "SELECT 1 AS one");

async function databaseState(db: Database): Promise<"ok" | "unavailable"> {
  try {
    await db.query(alive, []);
    return "ok";
  } catch (error) {
    if (error instanceof DatabaseError) return "unavailable";
    throw error;
  }
}

/** `/health`: 200 only when the database answers; `/metrics`: Prometheus text, for those who hold METRICS_TOKEN. */
export function healthRoutes(app: App): void {
  app.get("/health", async (c) => {
    const checks = { database: await databaseState(database(c.env)) };
    const healthy = checks.database === "ok";
    return c.json({ status: healthy ? "ok" : "unavailable", checks }, healthy ? 200 : 503);
  });
  app.get("/metrics", async (c) => {
    const token = c.env.METRICS_TOKEN ?? "";
    const given = c.req.header("authorization") ?? "";
    // Without a token set, there is nothing here for anyone.
    if (token === "" || given !== `Bearer ${token}`) return c.text("not found", 404);
    return c.text(await metrics(c.env), 200, { "content-type": "text/plain; version=0.0.4" });
  });
}

async function metrics(env: Env): Promise<string> {
  const stats = await Promise.all(
    gatewayActors(env).map(async (gateway, shard) => ({ shard, ...(await gateway.stats()) })),
  );
  const series = [
    ["lescopains_sockets", "gauge", "Connected sockets", "sockets"],
    ["lescopains_users", "gauge", "Users with a socket", "users"],
    ["lescopains_events_delivered_total", "counter", "Events written to sockets since the actor started", "delivered"],
    [
      "lescopains_ciphertexts_delivered_total",
      "counter",
      "Ciphertexts given to devices since the actor started",
      "ciphertexts",
    ],
    ["lescopains_events_received_total", "counter", "Events read from sockets since the actor started", "received"],
  ] as const;
  const failures = stats.flatMap(({ shard, failures: counted }) =>
    counted.map(
      ([reason, count]) => `lescopains_decryption_failures_total{shard="${shard}",reason="${reason}"} ${count}`,
    ),
  );
  return series
    .flatMap(([name, type, help, field]) => [
      `# HELP ${name} ${help}.`,
      `# TYPE ${name} ${type}`,
      ...stats.map((one) => `${name}{shard="${one.shard}"} ${one[field]}`),
    ])
    .concat([
      "# HELP lescopains_decryption_failures_total What devices could not decrypt, by their own word.",
      "# TYPE lescopains_decryption_failures_total counter",
      ...failures,
    ])
    .join("\n")
    .concat("\n");
}
