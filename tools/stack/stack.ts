import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OperatorError } from "../operator-error.ts";
import { buildEdge, buildWeb, edgeFolder, webFolder } from "./build.ts";
import { openDataFolder, readStackRecord, writeStackRecord } from "./data-folder.ts";
import type { DataFolder } from "./data-folder.ts";
import { checkDatabaseUrl } from "./database-url.ts";
import { migrate } from "./migrate.ts";
import { assertPortFree } from "./ports.ts";
import { startPostgres } from "./postgres.ts";
import type { Postgres } from "./postgres.ts";
import { rootFolder } from "./root.ts";
import { loadSecrets } from "./secrets.ts";
import { describeExit, startSupervisor, stopOrphans } from "./supervisor.ts";
import type { Supervisor } from "./supervisor.ts";
import { startWorkerd } from "./workerd.ts";
import type { Workerd } from "./workerd.ts";
import { environmentBindings } from "./workerd-config.ts";

export interface StackOptions {
  /** Made if need be; used by one stack at a time. */
  readonly dataDir: string;
  /** 0, the default: any free one. */
  readonly port?: number;
  /** The address to listen on; 127.0.0.1 unless said otherwise. */
  readonly host?: string;
  /** A PostgreSQL 17 to use instead of the embedded one. */
  readonly databaseUrl?: string;
  /** The worker's environment (`LOGIN_LIMIT`, `GATEWAY_SHARDS`, …); wins over what the stack would set. */
  readonly env?: Readonly<Record<string, string>>;
  /** Progress, a line at a time. */
  readonly log?: (line: string) => void;
  /** Build what changed first: everything (the default), only the edge, or nothing. */
  readonly build?: boolean | "edge";
  /** Another bundle than the repository's. */
  readonly edgeFolder?: string;
  /** A process of the stack ended that nobody had stopped: the line says which, and why if that is known. */
  readonly onCrash?: (line: string) => void;
  /** Gives the start up; what was started is stopped again. */
  readonly signal?: AbortSignal;
}

/** A running LesCopains: PostgreSQL, the worker with its actors, the password hasher. */
export interface Stack {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly databaseUrl: string;
  readonly dataDir: string;
  readonly workerd: {
    readonly pid: number;
    /** SIGKILL, as a crash; resolves when the process is gone. */
    kill9(): Promise<void>;
    /** On the same port; resolves when it answers. */
    restart(): Promise<void>;
  };
  /** The embedded PostgreSQL; undefined if `databaseUrl` was given. */
  readonly postgres:
    | {
        readonly port: number;
        stop(): Promise<void>;
        /** On the same port; resolves when it takes queries. */
        start(): Promise<void>;
      }
    | undefined;
  /** Stops everything in order. A second call waits for the first. */
  stop(): Promise<void>;
}

const healthTimeoutMs = 60_000;

/** Waits until the edge answers at all, or (`healthy`) with 200. */
async function waitForHealth(url: string, healthy: boolean, signal: AbortSignal | undefined): Promise<void> {
  let last = "it does not answer";
  for (const deadline = Date.now() + healthTimeoutMs; Date.now() < deadline; await sleep(50)) {
    signal?.throwIfAborted();
    try {
      const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(10_000) });
      const body = await response.text();
      if (response.ok || !healthy) return;
      last = `/health answers ${response.status} ${body}`;
    } catch {
      // Not yet.
    }
  }
  throw new OperatorError(`The edge did not become healthy within ${healthTimeoutMs / 1000} s: ${last}`);
}

function workerEnvironment(options: StackOptions, databaseUrl: string, dataDir: string): Record<string, string> {
  const { jwtSecret, totpKey } = loadSecrets(dataDir);
  const known = { DATABASE_URL: databaseUrl, JWT_SECRET: jwtSecret, TOTP_KEY: totpKey };
  const all: Record<string, string> = Object.fromEntries(environmentBindings.map((name) => [name, ""]));
  return { ...all, ...known, ...options.env };
}

/** What has been started so far; `stop` ends it in the order in which things depend on each other. */
interface Parts {
  readonly folder: DataFolder;
  readonly supervisor: Supervisor;
  postgres?: Postgres;
  workerd?: Workerd;
}

async function stopParts({ folder, supervisor, postgres, workerd }: Parts): Promise<void> {
  await workerd?.stop();
  await postgres?.stop();
  supervisor.close();
  folder.release();
}

async function build(options: StackOptions, log: (line: string) => void): Promise<void> {
  if (options.build === false) return;
  await buildEdge(log);
  if (options.build !== "edge") await buildWeb(log);
}

/** Starts a LesCopains on `dataDir`; resolves when it is healthy. Throws OperatorErrors for what a person can put right. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const {
    port: wishedPort = 0,
    host = "127.0.0.1",
    log = () => undefined,
    onCrash = () => undefined,
    signal,
  } = options;
  const listenHost = host === "localhost" ? "127.0.0.1" : host;
  if (options.databaseUrl !== undefined) await checkDatabaseUrl(options.databaseUrl);
  const folder = await openDataFolder(options.dataDir);
  const recordFile = join(folder.run, "processes.json");
  try {
    await stopOrphans(recordFile, log);
    await assertPortFree(wishedPort, listenHost);
  } catch (error) {
    folder.release();
    throw error;
  }
  const parts: Parts = {
    folder,
    supervisor: startSupervisor({
      recordFile,
      onCrash: (name, exit) =>
        onCrash(`${name} ended unexpectedly (${describeExit(exit)}): its last words are in ${folder.logs}`),
    }),
  };
  try {
    const beginDatabase = async (): Promise<string> => {
      let connectionString = options.databaseUrl;
      if (connectionString === undefined) {
        log("Starting PostgreSQL …");
        const preferredPort = readStackRecord(folder.path)?.postgresPort;
        parts.postgres = await startPostgres({
          dataDir: folder.path,
          logFile: join(folder.logs, "postgres.log"),
          password: loadSecrets(folder.path).postgresPassword,
          supervisor: parts.supervisor,
          log,
          ...(preferredPort === undefined ? {} : { preferredPort }),
        });
        ({ connectionString } = parts.postgres);
      }
      signal?.throwIfAborted();
      const { applied } = await migrate({ connectionString, directory: join(rootFolder, "migrations") });
      if (applied.length > 0) log(`Migrated the database: ${applied.join(", ")}`);
      return connectionString;
    };
    const [database, built] = await Promise.allSettled([beginDatabase(), build(options, log)]);
    if (database.status === "rejected") throw database.reason;
    if (built.status === "rejected") throw built.reason;
    const databaseUrl = database.value;

    signal?.throwIfAborted();
    log("Starting the edge …");
    const workerd = await startWorkerd({
      runFolder: folder.run,
      logFolder: folder.logs,
      actorsFolder: folder.actors,
      edgeFolder: options.edgeFolder ?? edgeFolder,
      webFolder,
      host: listenHost,
      port: wishedPort,
      env: workerEnvironment(options, databaseUrl, folder.path),
      supervisor: parts.supervisor,
    });
    parts.workerd = workerd;
    const everywhere = listenHost === "0.0.0.0" || listenHost === "::" || listenHost === "*";
    const reachableHost = everywhere ? "127.0.0.1" : listenHost;
    const url = `http://${reachableHost.includes(":") ? `[${reachableHost}]` : reachableHost}:${workerd.port}`;
    const { postgres } = parts;
    writeStackRecord(folder.path, {
      url,
      databaseUrl,
      ...(postgres === undefined ? {} : { postgresPort: postgres.port }),
    });
    await waitForHealth(url, true, signal);

    let stopping: Promise<void> | undefined;
    return {
      url,
      port: workerd.port,
      databaseUrl,
      dataDir: folder.path,
      workerd: {
        get pid() {
          return workerd.pid();
        },
        kill9: () => workerd.kill9(),
        restart: async () => {
          await workerd.restart();
          await waitForHealth(url, false, undefined);
        },
      },
      postgres: postgres && { port: postgres.port, stop: () => postgres.stop(), start: () => postgres.start() },
      stop: () => (stopping ??= stopParts(parts)),
    };
  } catch (error) {
    await stopParts(parts);
    throw error;
  }
}
