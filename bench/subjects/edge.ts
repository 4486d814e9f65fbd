import { startStack, type Stack } from "../../tools/stack/stack.ts";
import { loadSecrets } from "../../tools/stack/secrets.ts";
import { fillWorld, type Plan } from "../world.ts";
import { type Subject, untilHealthy } from "./subject.ts";

export interface EdgeOptions {
  readonly dataDir: string;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** This product's own stack, with an embedded PostgreSQL that the peers use too. */
export async function startEdge({ dataDir, log, signal }: EdgeOptions): Promise<{ stack: Stack; jwtSecret: string }> {
  const stack = await startStack({
    dataDir,
    build: "edge",
    // Sign-ins come from one address here.
    env: { REST_LIMIT: "1000000", LOGIN_LIMIT: "1000000", LOG_LEVEL: "warn" },
    log,
    onCrash: log,
    signal,
  });
  return { stack, jwtSecret: loadSecrets(dataDir).jwtSecret };
}

export async function edgeSubject(stack: Stack, jwtSecret: string, plan: Plan): Promise<Subject> {
  return {
    name: "edge",
    world: await fillWorld(stack.databaseUrl, jwtSecret, plan),
    url: () => stack.url,
    pid: () => stack.workerd.pid,
    restart: async () => {
      await stack.workerd.kill9();
      const startedMs = performance.now();
      const [, healthyMs] = await Promise.all([
        stack.workerd.restart(),
        untilHealthy(stack.url).then(() => performance.now() - startedMs),
      ]);
      return { healthyMs };
    },
  };
}
