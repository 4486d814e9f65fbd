import { Client } from "pg";
import { setTimeout as sleep } from "node:timers/promises";
import { OperatorError } from "../operator-error.ts";

const connectTimeoutMs = 10_000;
/** A server that recovers from a crash, or starts in the container beside, answers "starting up" for a while. */
const startingUpMs = 120_000;
const oldestServerVersion = 170_000;

/** What stands in messages: never the password. */
function withoutPassword(url: URL): string {
  return `${url.protocol}//${url.username === "" ? "" : `${url.username}@`}${url.host}${url.pathname}`;
}

function parse(connectionString: string): URL {
  const url = URL.canParse(connectionString) ? new URL(connectionString) : undefined;
  if (url === undefined || (url.protocol !== "postgres:" && url.protocol !== "postgresql:")) {
    throw new OperatorError("DATABASE_URL is not a URL of the form postgres://user:password@host:5432/database");
  }
  return url;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** A host with two addresses (localhost) fails with an AggregateError that has no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}

/** PostgreSQL is there but does not take connections yet (or is just going down). */
export function isStartingUp(error: unknown): boolean {
  return codeOf(error) === "57P03";
}

/** Checks that a PostgreSQL of the right version answers at DATABASE_URL; an OperatorError says what is wrong. */
export async function checkDatabaseUrl(connectionString: string): Promise<void> {
  const url = parse(connectionString);
  for (const deadline = Date.now() + startingUpMs; ;) {
    const client = new Client({ connectionString, connectionTimeoutMillis: connectTimeoutMs });
    client.on("error", () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ server_version_num: string; server_version: string }>(
        "select current_setting('server_version_num') as server_version_num, current_setting('server_version') as server_version",
      );
      const [row] = rows;
      if (row !== undefined && Number(row.server_version_num) < oldestServerVersion) {
        throw new OperatorError(`DATABASE_URL leads to PostgreSQL ${row.server_version}: LesCopains needs 17 or newer`);
      }
      return;
    } catch (error) {
      if (error instanceof OperatorError) throw error;
      if (!isStartingUp(error) || Date.now() > deadline) {
        throw new OperatorError(
          `No database at ${withoutPassword(url)} (${reasonOf(error)}): correct DATABASE_URL, or leave it out to use the embedded PostgreSQL`,
          { cause: error },
        );
      }
    } finally {
      await client.end().catch(() => undefined);
    }
    await sleep(500);
  }
}
