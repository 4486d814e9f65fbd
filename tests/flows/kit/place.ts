import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import { loadSecrets, type Secrets } from "../../../tools/stack/secrets.ts";
import { type Stack, startStack } from "../../../tools/stack/stack.ts";

/** A LesCopains of one test file's own, in a temporary folder: it may be stopped, killed and set up differently. */
export interface Place {
  readonly url: string;
  readonly stack: Stack;
  /** PostgreSQL as an onlooker sees it. */
  readonly sql: Pool;
  /** Signs access tokens (`JWT_SECRET`). */
  readonly jwtSecret: string;
  readonly secrets: Secrets;
  /** What the actors' process has logged so far. */
  log(): string;
  /** Stops everything and removes the folder. Throws when a process had ended by itself. */
  stop(): Promise<void>;
}

function onlooker(connectionString: string): Pool {
  const pool = new Pool({ connectionString, max: 4 });
  // Tests stop PostgreSQL: idle connections report it to the pool, those being closed to themselves.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

/** The limits by address would stop a test that makes many people; `env` wins over them. */
const ROOMY = { REGISTER_LIMIT: "1000000", REST_LIMIT: "1000000", LOGIN_LIMIT: "1000000" } as const;

/** The same flows on `wrangler dev` (vitest.config.ts), which has words of its own in the log and hashes passwords in the one process. */
export const ON_WRANGLER: boolean = process.env["FLOWS_ON"] === "wrangler";

interface PlaceOptions {
  readonly sfu?: boolean;
  /** The SFU node's environment. */
  readonly sfuEnv?: Readonly<Record<string, string>>;
  /** A folder of the caller's, which stays. */
  readonly dataDir?: string;
}

/** Starts PostgreSQL and the edge on free ports, and an SFU node if asked; resolves when they are healthy. */
export async function startPlace(
  env: Readonly<Record<string, string>> = {},
  { sfu = false, sfuEnv = {}, dataDir: given }: PlaceOptions = {},
): Promise<Place> {
  const dataDir = given ?? mkdtempSync(join(tmpdir(), "lescopains-flow-"));
  const clear = (): void => {
    if (given === undefined) rmSync(dataDir, { recursive: true, force: true });
  };
  const crashes: string[] = [];
  const stack = await startStack({
    dataDir,
    env: { ...ROOMY, ...env },
    build: "edge",
    runtime: ON_WRANGLER ? "wrangler" : "workerd",
    sfu,
    sfuEnv: { SFU_WORKERS: "1", METRICS_TOKEN: env["METRICS_TOKEN"] ?? "", ...sfuEnv },
    onCrash: (line) => crashes.push(line),
  }).catch((error: unknown) => {
    clear();
    throw error;
  });
  const sql = onlooker(stack.databaseUrl);
  const secrets = loadSecrets(dataDir);
  return {
    url: stack.url,
    stack,
    sql,
    jwtSecret: secrets.jwtSecret,
    secrets,
    log: () => {
      const log = readFileSync(join(dataDir, "logs", "workerd.log"), "utf8");
      return ON_WRANGLER ? log.replaceAll(/^[^{\n].*\n/gm, "") : log;
    },
    stop: async () => {
      await sql.end();
      await stack.stop();
      clear();
      if (crashes.length > 0) throw new Error(crashes.join("\n"));
    },
  };
}
