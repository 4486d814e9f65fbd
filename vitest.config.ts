import { defineConfig } from "vitest/config";

const seconds = 1000;
const sharedStack = "tools/test-stack.ts";

interface ProjectOptions {
  readonly workers?: number;
  readonly stack?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Flows that run on `wrangler dev` too; `npm run test:edge` runs them all there. */
const onWrangler = ["accounts", "gateway-quiet", "keys", "messages", "voice"];

/**
 * Projects run in the order of `order`, those that measure or kill things alone. Nothing is retried: a test that fails now
 * and then is a bug of the product or of the test.
 */
function project(name: string, order: number, include: string[], options: ProjectOptions = {}) {
  return {
    test: {
      name,
      include,
      environment: "node" as const,
      env: { ...options.env },
      sequence: { groupOrder: order },
      maxWorkers: options.workers ?? 1,
      testTimeout: 120 * seconds,
      hookTimeout: 180 * seconds,
      teardownTimeout: 60 * seconds,
      globalSetup: options.stack === true ? [sharedStack] : [],
    },
  };
}

export default defineConfig({
  test: {
    projects: [
      project(
        "unit",
        0,
        [
          "{protocol,e2ee,edge,sfu-node,web}/src/**/*.test.{ts,tsx}",
          "sfu-node/worker-build/**/*.test.ts",
          "tools/**/*.test.ts",
          "bench/**/*.test.ts",
        ],
        {
          workers: 2,
        },
      ),
      project("interop", 1, ["tests/interop/**/*.test.ts"], { workers: 2 }),
      project("socketio", 2, ["tests/socketio/**/*.test.ts"], { workers: 2 }),
      project("postgres", 3, ["tests/postgres/**/*.test.ts"]),
      project("sfu", 4, ["tests/sfu/**/*.test.ts"]),
      project("flows", 5, ["tests/flows/**/*.test.ts"], { workers: 2, stack: true }),
      project(
        "flows-wrangler",
        6,
        process.env["FLOWS_ON_WRANGLER"] === "all"
          ? ["tests/flows/**/*.test.ts"]
          : onWrangler.map((name) => `tests/flows/${name}.test.ts`),
        { workers: 2, env: { FLOWS_ON: "wrangler" } },
      ),
      project("tools", 6, ["tests/tools/**/*.test.ts"]),
      project("faults", 7, ["tests/{faults,fuzz}/**/*.test.ts"]),
      project("browser", 8, ["tests/browser/**/*.test.ts"], { stack: true }),
      project("proof", 9, ["tests/proof/**/*.test.ts"], { stack: true }),
      project("ops", 10, ["tests/ops/**/*.test.ts"]),
    ],
  },
});
