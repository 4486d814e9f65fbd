import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import { loadSecrets } from "../../../tools/stack/secrets.ts";
import { type Stack, startStack } from "../../../tools/stack/stack.ts";

/** A whole LesCopains in a temporary folder, for the tests of one file. */
export interface Place {
  readonly url: string;
  readonly stack: Stack;
  /** PostgreSQL as an onlooker sees it. */
  readonly sql: Pool;
  /** Signs access tokens (`JWT_SECRET`). */
  readonly jwtSecret: string;
  /** What the actors' process has logged so far. */
  log(): string;
  /** Stops everything and removes the folder. Throws when a process had ended by itself. */
  stop(): Promise<void>;
}

/** The limits by address would stop a test that makes many people; `env` wins over them. */
const ROOMY = { REGISTER_LIMIT: "1000000", LOGIN_LIMIT: "1000000" } as const;

/** Starts PostgreSQL and the edge on free ports; resolves when they are healthy. */
export async function startPlace(env: Readonly<Record<string, string>> = {}): Promise<Place> {
  const dataDir = mkdtempSync(join(tmpdir(), "lescopains-flow-"));
  const crashes: string[] = [];
  const stack = await startStack({
    dataDir,
    env: { ...ROOMY, ...env },
    build: "edge",
    onCrash: (line) => crashes.push(line),
  }).catch((error: unknown) => {
    rmSync(dataDir, { recursive: true, force: true });
    throw error;
  });
  const sql = new Pool({ connectionString: stack.databaseUrl, max: 4 });
  // Tests stop PostgreSQL: idle connections report it here.
  sql.on("error", () => undefined);
  return {
    url: stack.url,
    stack,
    sql,
    jwtSecret: loadSecrets(dataDir).jwtSecret,
    log: () => readFileSync(join(dataDir, "logs", "workerd.log"), "utf8"),
    stop: async () => {
      await sql.end();
      await stack.stop();
      rmSync(dataDir, { recursive: true, force: true });
      if (crashes.length > 0) throw new Error(crashes.join("\n"));
    },
  };
}
