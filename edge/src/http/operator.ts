import { ok, refuse } from "@lescopains/protocol/outcome";
import { logAction, logPage, storage } from "../db/operators.ts";
import { gatewayActors, sfuRegistry } from "../platform/actors.ts";
import { VERSION } from "../platform/version.ts";
import { nodeSecrets } from "../voice/node-secrets.ts";
import { isFromUnnamedProxy } from "./address.ts";
import { type App, type AppContext, serve } from "./route.ts";

const MINUTE_MS = 60_000;
const MOST_MINUTES = 24 * 60;
const TABLES_SHOWN = 10;

/** Whoever runs the nodes holds their secret. Without it, there is nothing here for anyone. */
function holdsNodeSecret(c: AppContext): boolean {
  return nodeSecrets(c.env).some((secret) => c.req.header("authorization") === `Bearer ${secret}`);
}

/** [VO26] For scripts of who runs the installation: which voice nodes there are, and to take one out of service. */
function nodeRoutes(app: App): void {
  app.use("/operator/sfu/*", async (c, next) => (holdsNodeSecret(c) ? next() : c.text("not found", 404)));
  app.get("/operator/sfu", async (c) => c.json({ nodes: await sfuRegistry(c.env).nodes() }));
  app.post("/operator/sfu/:node/drain", async (c) => {
    const minutes = Number(c.req.query("minutes") ?? 60);
    if (!(minutes >= 0 && minutes <= MOST_MINUTES)) return c.text(`minutes: 0 to ${MOST_MINUTES}`, 400);
    return answer(c, await sfuRegistry(c.env).drain(c.req.param("node"), minutes * MINUTE_MS));
  });
  app.post("/operator/sfu/:node/undrain", async (c) =>
    answer(c, await sfuRegistry(c.env).undrain(c.req.param("node"))),
  );
}

function answer(c: AppContext, isKnown: boolean): Response {
  return isKnown ? c.body(null, 204) : c.text("no such node", 404);
}

/** Nodes, sizes and the log, for the operators' page; and what scripts ask of the nodes. */
export function operatorRoutes(app: App): void {
  nodeRoutes(app);

  serve(app, "operatorStatus", async ({ env, db, c }) => {
    const [[row], nodes, gateways] = await Promise.all([
      db.query(storage, [TABLES_SHOWN]),
      sfuRegistry(env).nodes(),
      Promise.all(gatewayActors(env).map((gateway) => gateway.stats())),
    ]);
    if (row === undefined) throw new Error("PostgreSQL told no sizes");
    const sockets = gateways.reduce((sum, each) => sum + each.sockets, 0);
    return ok({
      version: VERSION,
      ...row,
      sockets,
      nodes: nodes.filter(({ connected }) => connected).length,
      unnamedProxy: isFromUnnamedProxy(c.req.raw, env),
    });
  });

  // The rooms stay out: who talks where is nobody's business.
  serve(app, "listVoiceNodes", async ({ env }) => {
    const nodes = await sfuRegistry(env).nodes();
    const shown = nodes.map(({ id, url, region, version, draining, connected, load }) => ({
      id,
      url,
      region,
      version,
      draining,
      connected,
      load,
    }));
    return ok({ nodes: shown.toSorted((a, b) => (a.id < b.id ? -1 : 1)) });
  });

  serve(app, "patchVoiceNode", async ({ env, db, user, params, body }) => {
    const registry = sfuRegistry(env);
    const { node } = params;
    if (!(await registry.nodes()).some(({ id }) => id === node)) return refuse("not_found", "no such node");
    // Told to the log first: what follows may be cut short.
    const { action, details } = body.draining
      ? ({ action: "node.drain", details: JSON.stringify({ minutes: body.minutes }) } as const)
      : ({ action: "node.undrain", details: null } as const);
    if ((await db.query(logAction, [user.sub, action, node, null, details])).length === 0)
      return refuse("forbidden", "this is for operators");
    const isKnown = body.draining ? await registry.drain(node, body.minutes * MINUTE_MS) : await registry.undrain(node);
    return isKnown ? ok() : refuse("not_found", "no such node");
  });

  serve(app, "operatorLog", async ({ db, query }) => {
    const { before = Number.MAX_SAFE_INTEGER, limit } = query;
    const rows = await db.query(logPage, [before, limit + 1]);
    const entries = rows.slice(0, limit).map(({ operatorId, operatorName, ...entry }) => ({
      ...entry,
      operator: { id: operatorId, name: operatorName },
    }));
    return ok({ entries, next: rows.length > limit ? (entries.at(-1)?.id ?? null) : null });
  });
}
