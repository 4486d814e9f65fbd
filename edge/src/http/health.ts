import { type Database, database, DatabaseError, statement } from "../db/port.ts";
import { metricsText } from "./metrics.ts";
import type { App } from "./route.ts";

const alive = statement<[], { one: number }>("alive", "SELECT 1 AS one");

type State = "ok" | "unavailable";

async function databaseState(db: Database): Promise<State> {
  try {
    await db.query(alive, []);
    return "ok";
  } catch (error) {
    if (error instanceof DatabaseError) return "unavailable";
    throw error;
  }
}

/** Strangers may ask as often as they like, the database is asked once a second. */
const KEPT_MS = 1_000;
let kept: { readonly state: State; readonly untilMs: number } | undefined;

async function recentState(db: Database): Promise<State> {
  if (kept !== undefined && Date.now() < kept.untilMs) return kept.state;
  const state = await databaseState(db);
  kept = { state, untilMs: Date.now() + KEPT_MS };
  return state;
}

/** `/health`: 200 only when the database answers; `/metrics`: Prometheus text, for those who hold METRICS_TOKEN. */
export function healthRoutes(app: App): void {
  app.get("/health", async (c) => {
    const checks = { database: await recentState(database(c.env)) };
    const healthy = checks.database === "ok";
    return c.json({ status: healthy ? "ok" : "unavailable", checks }, healthy ? 200 : 503);
  });
  app.get("/metrics", async (c) => {
    const token = c.env.METRICS_TOKEN ?? "";
    const given = c.req.header("authorization") ?? "";
    // Without a token set, there is nothing here for anyone.
    if (token === "" || given !== `Bearer ${token}`) return c.text("not found", 404);
    return c.text(await metricsText(c.env, !onCloudflare(c.req.raw)), 200, {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
    });
  });
}

/** Cloudflare says where it is. */
function onCloudflare({ cf }: Request): boolean {
  return typeof cf?.colo === "string";
}
