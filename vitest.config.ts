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

function project(name: string, include: string[], options: ProjectOptions = {}) {
  return {
    test: {
      name,
      include,
      environment: "node" as const,
      env: { ...options.env },
      maxWorkers: options.workers ?? 1,
      testTimeout: 120 * seconds,
      hookTimeout: 180 * seconds,
      teardownTimeout: 60 * seconds,
      globalSetup: options.stack === true ? [sharedStack] : [],
    },
  };
}

/**
 * Projects run one after the other, in this order. Nothing is retried: a test that fails now and then is a bug of the
 * product or of the test.
 */
const projects = [
  project(
    "unit",
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
  project("interop", ["tests/interop/**/*.test.ts"], { workers: 2 }),
  project("socketio", ["tests/socketio/**/*.test.ts"], { workers: 2 }),
  project("postgres", ["tests/postgres/**/*.test.ts"]),
  project("sfu", ["tests/sfu/**/*.test.ts"]),
  project("flows", ["tests/flows/**/*.test.ts"], { workers: 2, stack: true }),
  project(
    "flows-wrangler",
    process.env["FLOWS_ON_WRANGLER"] === "all"
      ? ["tests/flows/**/*.test.ts"]
      : onWrangler.map((name) => `tests/flows/${name}.test.ts`),
    { workers: 2, env: { FLOWS_ON: "wrangler" } },
  ),
  project("tools", ["tests/tools/**/*.test.ts"]),
  project("faults", ["tests/{faults,fuzz}/**/*.test.ts"]),
  project("browser", ["tests/browser/**/*.test.ts"], { stack: true }),
  project("proof", ["tests/proof/**/*.test.ts"], { stack: true }),
  project("ops", ["tests/ops/**/*.test.ts"]),
];

export default defineConfig({
  test: {
    projects: projects.map(({ test }, groupOrder) => ({ test: { ...test, sequence: { groupOrder } } })),
  },
});
