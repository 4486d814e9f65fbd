import { sfuRegistry } from "../platform/actors.ts";
import type { App, AppContext } from "./route.ts";

const MINUTE_MS = 60_000;
const MOST_MINUTES = 24 * 60;

/** Whoever runs the nodes holds their secret. Without it, there is nothing here for anyone. */
function isOperator(c: AppContext): boolean {
  const secret = c.env.SFU_SECRET ?? "";
  return secret !== "" && c.req.header("authorization") === `Bearer ${secret}`;
}

/** [VO26] For who runs the installation: which voice nodes there are, and to take one out of service. */
export function operatorRoutes(app: App): void {
  app.use("/operator/*", async (c, next) => (isOperator(c) ? next() : c.text("not found", 404)));
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
