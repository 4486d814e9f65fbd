import { configDefaults, defineConfig } from "vitest/config";

const seconds = 1000;
const sharedStack = "tools/test-stack.ts";

interface ProjectOptions {
  /** Nothing runs beside its files. */
  readonly alone?: boolean;
  readonly stack?: boolean;
  readonly exclude?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Flows that run on `wrangler dev` too; `npm run test:edge` runs them all there. */
const onWrangler = ["accounts", "gateway-quiet", "keys", "messages", "voice"];

function project(name: string, include: string[], options: ProjectOptions = {}) {
  return {
    test: {
      name,
      include,
      exclude: [...configDefaults.exclude, ...(options.exclude ?? [])],
      environment: "node" as const,
      env: { ...options.env },
      maxWorkers: options.alone === true ? 1 : 2,
      sequence: { groupOrder: options.alone === true ? 1 : 0 },
      testTimeout: 120 * seconds,
      hookTimeout: 180 * seconds,
      teardownTimeout: 60 * seconds,
      globalSetup: options.stack === true ? [sharedStack] : [],
    },
  };
}

/** Media in real time: packets, pictures and sound, whose losses are counted. */
const calls = ["tests/browser/voice*.test.ts", "tests/browser/frames.test.ts", "tests/ops/caddy-people.test.ts"];

/**
 * Two files run at a time, whichever projects they are of, so that one works while another waits (for an actor to fall asleep, a timeout to
 * pass, a process to come back); then, one at a time, those that measure media. Nothing is retried: a test that fails now and then is a bug of
 * the product or of the test.
 */
const projects = [
  project("unit", [
    "{protocol,e2ee,edge,sfu-node,web}/src/**/*.test.{ts,tsx}",
    "sfu-node/worker-build/**/*.test.ts",
    "tools/**/*.test.ts",
    "bench/**/*.test.ts",
  ]),
  project("interop", ["tests/interop/**/*.test.ts"]),
  project("socketio", ["tests/socketio/**/*.test.ts"]),
  project("postgres", ["tests/postgres/**/*.test.ts"]),
  project("flows", ["tests/flows/**/*.test.ts"]),
  project(
    "flows-wrangler",
    process.env["FLOWS_ON_WRANGLER"] === "all"
      ? ["tests/flows/**/*.test.ts"]
      : onWrangler.map((name) => `tests/flows/${name}.test.ts`),
    { env: { FLOWS_ON: "wrangler" } },
  ),
  project("tools", ["tests/tools/**/*.test.ts"]),
  project("faults", ["tests/{faults,fuzz}/**/*.test.ts"]),
  project("ops", ["tests/ops/**/*.test.ts"], { exclude: calls }),
  project("browser", ["tests/browser/**/*.test.ts"], { stack: true, exclude: calls }),
  project("proof", ["tests/proof/**/*.test.ts"], { stack: true }),
  project("sfu", ["tests/sfu/**/*.test.ts"], { alone: true }),
  project("calls", calls, { alone: true, stack: true }),
];

export default defineConfig({ test: { projects } });
