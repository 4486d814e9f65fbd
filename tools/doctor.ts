/**
 * `npm run doctor`: proves the running installation hop by hop, a line each, and names what to do about the hop that fails.
 * LESCOPAINS_URL and DATABASE_URL say what to look at; without them it is what runs on DATA_DIR.
 */
import { statfs } from "node:fs/promises";
import { join, resolve } from "node:path";
import { io } from "socket.io-client";
import { Client } from "pg";
import { runCommand } from "./command.ts";
import { checkVoice } from "./doctor/voice.ts";
import { OperatorError } from "./operator-error.ts";
import { readStackRecord } from "./stack/data-folder.ts";
import { rootFolder } from "./stack/root.ts";

const timeoutMs = 10_000;
/** Tokens and invites are compared across clocks; browsers show times by them. */
const largestClockDifferenceMs = 5_000;
/** PostgreSQL stops when it cannot write its log ahead; this is a few days of it for a small place. */
const leastFreeBytes = 1024 ** 3;

interface Installation {
  readonly url: string;
  readonly databaseUrl: string;
  readonly dataDir: string;
}

/** What a hop found, in words; a failing one throws an OperatorError that says what to do. */
type Hop = (installation: Installation) => Promise<string>;

function find(): Installation {
  const dataDir = resolve(process.env["DATA_DIR"] || join(rootFolder, ".data"));
  const record = readStackRecord(dataDir);
  const url = process.env["LESCOPAINS_URL"] || record?.url;
  const databaseUrl = process.env["DATABASE_URL"] || record?.databaseUrl;
  if (url === undefined || databaseUrl === undefined) {
    throw new OperatorError(
      `Nothing was ever started on ${dataDir}: run \`npm start\`, or set DATA_DIR, or LESCOPAINS_URL and DATABASE_URL`,
    );
  }
  return { url: url.replace(/\/$/, ""), databaseUrl, dataDir };
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}

async function fetchFrom(url: string): Promise<Response> {
  try {
    return await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  } catch (cause) {
    throw new OperatorError(
      `${url} does not answer (${reasonOf(cause)}): is LesCopains running? \`npm start\`, then look into logs/workerd.log`,
      {
        cause,
      },
    );
  }
}

interface DatabaseState {
  readonly version: string;
  readonly migrations: number;
  readonly nowMs: number;
}

async function askDatabase({ databaseUrl }: Installation): Promise<DatabaseState> {
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string; migrations: string; now_ms: string }>(
      `select current_setting('server_version') as version,
              (select count(*) from schema_migrations) as migrations,
              (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error("the database answers nothing");
    return { version: row.version, migrations: Number(row.migrations), nowMs: Number(row.now_ms) };
  } catch (cause) {
    throw new OperatorError(
      `PostgreSQL does not answer (${reasonOf(cause)}): is LesCopains running? \`npm start\`, then look into logs/postgres.log`,
      { cause },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

const database: Hop = async (installation) => {
  const { version, migrations } = await askDatabase(installation);
  return `PostgreSQL ${version}, ${migrations} migrations applied`;
};

const health: Hop = async ({ url }) => {
  const response = await fetchFrom(`${url}/health`);
  const body = await response.text();
  if (!response.ok)
    throw new OperatorError(`/health answers ${response.status} ${body}: start with the check it names`);
  return `${url}/health says ${body}`;
};

const webClient: Hop = async ({ url }) => {
  const response = await fetchFrom(`${url}/`);
  const type = response.headers.get("content-type") ?? "no content type";
  await response.body?.cancel();
  if (!response.ok || !type.startsWith("text/html")) {
    throw new OperatorError(
      `/ answers ${response.status} (${type}): build the web client again by restarting \`npm start\``,
    );
  }
  return "the page is served";
};

/** A socket with a token that cannot be right: the refusal comes from the gateway actor, so every hop up to it works. */
const socket: Hop = ({ url }) =>
  new Promise((done, fail) => {
    const client = io(url, {
      auth: { token: "doctor" },
      transports: ["websocket"],
      reconnection: false,
      timeout: timeoutMs,
    });
    const end = (settle: () => void): void => {
      client.disconnect();
      settle();
    };
    client.once("connect", () =>
      end(() => fail(new OperatorError("The gateway takes any token: check JWT_SECRET, and stop LesCopains now"))),
    );
    client.once("connect_error", (error: Error & { data?: { code?: unknown } }) => {
      if (error.data?.code === "unauthenticated") return end(() => done("the gateway answers over a WebSocket"));
      const advice = "does a proxy in front pass on WebSockets for /socket.io/?";
      return end(() => fail(new OperatorError(`The socket does not connect (${reasonOf(error)}): ${advice}`)));
    });
  });

/** With the installation's own key, so only where its data is. */
const voice: Hop = async ({ url, dataDir }) =>
  readStackRecord(dataDir) === undefined
    ? "not looked at: run the doctor on the machine of the SFU node"
    : checkVoice(url, dataDir);

const clocks: Hop = async (installation) => {
  const beforeMs = Date.now();
  const { nowMs } = await askDatabase(installation);
  const databaseMs = nowMs - (beforeMs + Date.now()) / 2;
  // workerd itself sends no Date: a proxy or Cloudflare in front of it does, to the second.
  const response = await fetchFrom(`${installation.url}/health`);
  const date = response.headers.get("date");
  await response.body?.cancel();
  const edgeMs = date === null ? 0 : Date.parse(date) - Date.now();
  const worstMs = Math.max(Math.abs(databaseMs), Math.abs(edgeMs) - 1_000);
  if (worstMs > largestClockDifferenceMs) {
    throw new OperatorError(
      `The clocks differ by ${Math.round(worstMs / 1000)} s: set them by NTP on every machine (timedatectl set-ntp true)`,
    );
  }
  return `they differ by ${Math.round(Math.max(worstMs, 0))} ms`;
};

const disk: Hop = async ({ dataDir }) => {
  const { bavail, bsize } = await statfs(dataDir).catch((cause: unknown) => {
    throw new OperatorError(`${dataDir} cannot be looked at (${reasonOf(cause)}): set DATA_DIR to the folder in use`, {
      cause,
    });
  });
  const free = bavail * bsize;
  const gigabytes = (free / 1024 ** 3).toFixed(1);
  if (free < leastFreeBytes)
    throw new OperatorError(`Only ${gigabytes} GB free below ${dataDir}: make room before PostgreSQL stops`);
  return `${gigabytes} GB free`;
};

const hops: readonly (readonly [string, Hop])[] = [
  ["database", database],
  ["edge", health],
  ["web client", webClient],
  ["socket", socket],
  ["voice", voice],
  ["clocks", clocks],
  ["disk", disk],
];

await runCommand(async (stop) => {
  const installation = find();
  let failed = 0;
  for (const [name, hop] of hops) {
    stop.throwIfAborted();
    const startedMs = performance.now();
    try {
      const found = await hop(installation);
      console.log(`ok     ${name}: ${found} (${Math.round(performance.now() - startedMs)} ms)`);
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      failed += 1;
      console.log(`failed ${name}: ${error.message}`);
    }
  }
  return failed === 0 ? 0 : 1;
});
