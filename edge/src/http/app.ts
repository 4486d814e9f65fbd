import { ROUTES } from "@lescopains/protocol/routes";
import { Hono, type MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { DatabaseError } from "../db/port.ts";
import type { Env } from "../platform/env.ts";
import { log } from "../platform/logger.ts";
import { requests } from "../platform/metrics.ts";
import { quotable } from "../platform/trace.ts";
import { refuse } from "@lescopains/protocol/outcome";
import { accountRoutes } from "./accounts.ts";
import { authRoutes } from "./auth.ts";
import { blockRoutes } from "./blocks.ts";
import { channelRoutes } from "./channels.ts";
import { dmRoutes } from "./dms.ts";
import { friendRoutes } from "./friends.ts";
import { handoffRoutes } from "./handoffs.ts";
import { healthRoutes } from "./health.ts";
import { historyRoutes } from "./history.ts";
import { instanceRoutes } from "./instance.ts";
import { inviteRoutes } from "./invites.ts";
import { keyRoutes } from "./keys.ts";
import { memberRoutes } from "./members.ts";
import { openApiRoutes } from "./openapi.ts";
import { operatorRoutes } from "./operator.ts";
import { roleRoutes } from "./roles.ts";
import { answerRefusal, type App } from "./route.ts";
import { serverRoutes } from "./servers.ts";
import { userRoutes } from "./users.ts";
import { vaultRoutes } from "./vault.ts";
import { voiceRoutes } from "./voice.ts";

/** The REST part of the worker: a file for each resource, one table of routes (protocol/src/rest.ts). */
export function makeApp(): App {
  const app: App = new Hono<{ Bindings: Env }>();
  app.use(observed);
  healthRoutes(app);
  openApiRoutes(app);
  instanceRoutes(app);
  authRoutes(app);
  userRoutes(app);
  handoffRoutes(app);
  vaultRoutes(app);
  serverRoutes(app);
  inviteRoutes(app);
  memberRoutes(app);
  roleRoutes(app);
  channelRoutes(app);
  historyRoutes(app);
  keyRoutes(app);
  dmRoutes(app);
  friendRoutes(app);
  blockRoutes(app);
  voiceRoutes(app);
  accountRoutes(app);
  operatorRoutes(app);

  app.notFound((c) => {
    const known = knownMethods(c.req.path);
    if (known.length === 0) return answerRefusal(c, refuse("not_found", "no such route"));
    c.header("allow", known.join(", "));
    return answerRefusal(c, refuse("method_not_allowed", `this route takes ${known.join(", ")}`));
  });
  app.onError((error, c) => {
    if (error instanceof DatabaseError && error.kind === "unavailable") {
      return answerRefusal(c, refuse("unavailable", "the database is not reachable", { retryAfterMs: 2_000 }));
    }
    log.error("request failed", error, { method: c.req.method, route: routePath(c) });
    const refused = refuse("internal", "something went wrong on our side");
    return answerRefusal(c, { ...refused, error: { ...refused.error, ...quotable() } });
  });
  return app;
}

/** Asked every few seconds by whoever watches: counted, and not worth a line each. */
const WATCHED = new Set(["/health", "/metrics"]);

/** Counts a request and writes its line. The route is the contract's, with the names of its parameters: never what somebody typed. */
const observed: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  const beganMs = Date.now();
  await next();
  const route = routePath(c);
  const { method } = c.req;
  const { status } = c.res;
  const ms = Date.now() - beganMs;
  requests.observe({ method: METHODS.has(method) ? method : "other", route, status }, ms / 1_000);
  if (!WATCHED.has(route)) log.info("request", { method, route, status, ms });
};

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const PATTERNS = Object.values(ROUTES).map(({ method, path }) => ({
  method,
  pattern: new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}$`),
}));

/** Methods of the routes with this path. */
function knownMethods(path: string): string[] {
  return [...new Set(PATTERNS.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))];
}
