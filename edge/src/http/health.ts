import { pgGate } from "../platform/actors.ts";
import { metricsText } from "./metrics.ts";
import type { App } from "./route.ts";

/** `/health`: 200 only when the database answers; `/metrics`: Prometheus text, for those who hold METRICS_TOKEN. */
export function healthRoutes(app: App): void {
  app.get("/health", async (c) => {
    const healthy = await pgGate(c.env).alive();
    const checks = { database: healthy ? "ok" : "unavailable" };
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
