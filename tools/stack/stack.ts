import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findWorker } from "../../sfu-node/worker-build/worker.ts";
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
import { acceptedSfuSecrets, loadSecrets, signingKey } from "./secrets.ts";
import { sfuHttpPort, startSfu } from "./sfu.ts";
import type { Sfu } from "./sfu.ts";
import { describeExit, startSupervisor, stopOrphans } from "./supervisor.ts";
import type { Supervisor } from "./supervisor.ts";
import { startWranglerDev } from "./wrangler-dev.ts";
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
  /** Of the SFU node's first media worker, UDP and TCP, the others follow; 0, the default: any free ones. */
  readonly sfuPort?: number;
  /** False: without an SFU node, and so without voice. */
  readonly sfu?: boolean;
  /** The SFU node's environment. */
  readonly sfuEnv?: Readonly<Record<string, string>>;
  /** The worker's environment (`LOGIN_LIMIT`, `GATEWAY_SHARDS`, …); wins over what the stack would set. */
  readonly env?: Readonly<Record<string, string>>;
  /** Progress, a line at a time. */
  readonly log?: (line: string) => void;
  /** Build what changed first: everything (the default), only the edge, or nothing. */
  readonly build?: boolean | "edge";
  /** What runs the edge: workerd by itself, the default, or `wrangler dev`. */
  readonly runtime?: "workerd" | "wrangler";
  /** Another bundle than the repository's. */
  readonly edgeFolder?: string;
  /** A process of the stack ended that nobody had stopped: the line says which, and why if that is known. */
  readonly onCrash?: (line: string) => void;
  /** Gives the start up; what was started is stopped again. */
  readonly signal?: AbortSignal;
}

/** A running LesCopains: PostgreSQL, the worker with its actors, the password hasher, the SFU node. */
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
  /** Undefined without one, or if there is no mediasoup worker for this machine: then there is no voice, and the log has said why. */
  readonly sfu: { readonly pid: number; readonly httpPort: number; kill9(): Promise<void> } | undefined;
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
  let refusal: string | undefined;
  for (const deadline = Date.now() + healthTimeoutMs; Date.now() < deadline; await sleep(50)) {
    signal?.throwIfAborted();
    try {
      const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(10_000) });
      const body = await response.text();
      refusal = /this installation is not configured: [^"]*/.exec(body)?.[0];
      if (refusal !== undefined) break;
      if (response.ok || !healthy) return;
      last = `/health answers ${response.status} ${body}`;
    } catch {
      // Not yet.
    }
  }
  if (refusal !== undefined) throw new OperatorError(`The edge does not start: ${refusal}`);
  throw new OperatorError(`The edge did not become healthy within ${healthTimeoutMs / 1000} s: ${last}`);
}

function workerEnvironment(options: StackOptions, databaseUrl: string, dataDir: string): Record<string, string> {
  const secrets = loadSecrets(dataDir);
  const known = {
    DATABASE_URL: databaseUrl,
    JWT_SECRET: secrets.jwtSecret,
    TOTP_KEY: secrets.totpKey,
    SFU_SIGNING_KEY: JSON.stringify(signingKey(secrets)),
    SFU_SECRET: acceptedSfuSecrets(secrets),
  };
  const all: Record<string, string> = Object.fromEntries(environmentBindings.map((name) => [name, ""]));
  return { ...all, ...known, ...options.env };
}

/** What has been started so far; `stop` ends it in the order in which things depend on each other. */
interface Parts {
  readonly folder: DataFolder;
  readonly supervisor: Supervisor;
  postgres?: Postgres;
  workerd?: Workerd;
  sfu?: Sfu;
}

async function stopParts({ folder, supervisor, postgres, workerd, sfu }: Parts): Promise<void> {
  await sfu?.stop();
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

/** The mediasoup worker, or the line that says why there is no voice. */
async function findVoice({ sfu, signal }: StackOptions, log: (line: string) => void): Promise<string | undefined> {
  if (sfu === false) return undefined;
  try {
    return await findWorker({ log, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    log(`There will be no voice: ${error.message}`);
    return undefined;
  }
}

/** Starts a LesCopains on `dataDir`; resolves when it is healthy. Throws OperatorErrors for what a person can put right. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const {
    port: wishedPort = 0,
    sfuPort: mediaPort = 0,
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
    if (mediaPort !== 0) {
      for (let n = 0; n < availableParallelism(); n += 1) await assertPortFree(mediaPort + n, listenHost, "SFU_PORT");
    }
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
    const [database, built, voice] = await Promise.allSettled([
      beginDatabase(),
      build(options, log),
      findVoice(options, log),
    ]);
    if (database.status === "rejected") throw database.reason;
    if (built.status === "rejected") throw built.reason;
    if (voice.status === "rejected") throw voice.reason;
    const workerBin = voice.value;
    const databaseUrl = database.value;

    signal?.throwIfAborted();
    log("Starting the edge …");
    const httpPort = workerBin === undefined ? undefined : await sfuHttpPort();
    const start = options.runtime === "wrangler" ? startWranglerDev : startWorkerd;
    const workerd = await start({
      runFolder: folder.run,
      logFolder: folder.logs,
      actorsFolder: folder.actors,
      edgeFolder: options.edgeFolder ?? edgeFolder,
      webFolder,
      host: listenHost,
      port: wishedPort,
      env: workerEnvironment(options, databaseUrl, folder.path),
      sfuPort: httpPort,
      supervisor: parts.supervisor,
    });
    parts.workerd = workerd;
    const everywhere = listenHost === "0.0.0.0" || listenHost === "::" || listenHost === "*";
    const reachableHost = everywhere ? "127.0.0.1" : listenHost;
    const url = `http://${reachableHost.includes(":") ? `[${reachableHost}]` : reachableHost}:${workerd.port}`;
    if (workerBin !== undefined && httpPort !== undefined) {
      log("Starting the SFU node …");
      parts.sfu = await startSfu({
        workerBin,
        logFile: join(folder.logs, "sfu.log"),
        secrets: loadSecrets(folder.path),
        httpPort,
        mediaPort,
        host: everywhere ? "0.0.0.0" : listenHost,
        registryUrl: `${url.replace(/^http/, "ws")}/sfu-registry`,
        // wrangler dev has no service behind its own address: the node is reached at the node's.
        env: {
          ...(options.runtime === "wrangler" ? { SFU_PUBLIC_URL: `http://127.0.0.1:${httpPort}` } : {}),
          ...options.sfuEnv,
        },
        supervisor: parts.supervisor,
        log,
      });
    }
    const { postgres, sfu } = parts;
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
      sfu: sfu && {
        get pid() {
          return sfu.pid();
        },
        httpPort: httpPort ?? 0,
        kill9: () => sfu.kill9(),
      },
      postgres: postgres && { port: postgres.port, stop: () => postgres.stop(), start: () => postgres.start() },
      stop: () => (stopping ??= stopParts(parts)),
    };
  } catch (error) {
    await stopParts(parts);
    throw error;
  }
}
