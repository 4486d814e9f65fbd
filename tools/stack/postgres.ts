import { execFile } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { identifyProcess } from "../bootstrap/process-identity.mjs";
import { OperatorError } from "../operator-error.ts";
import { isStartingUp } from "./database-url.ts";
import { lastLogLine } from "./logs.ts";
import { freePort } from "./ports.ts";
import { postgresAccount, reachableFolder, reachableHome } from "./postgres-account.ts";
import type { Account } from "./postgres-account.ts";
import { postgresHome } from "./postgres-binaries.ts";
import { stopProcess } from "./processes.ts";
import type { Child, Supervisor } from "./supervisor.ts";

const run = promisify(execFile);

const major = "17";
const user = "lescopains";
const database = "lescopains";
/** Recovery after a crash reads the write-ahead log: at most a few minutes, and the process lives meanwhile. */
const readyTimeoutMs = 300_000;
/** Backends of a killed server let go of its shared memory within moments; another program may take the port. */
const startAttempts = 10;

export interface PostgresOptions {
  readonly dataDir: string;
  readonly logFile: string;
  readonly password: string;
  /** The port of the last time, used again if it is free. */
  readonly preferredPort?: number;
  readonly supervisor: Supervisor;
  readonly log: (line: string) => void;
}

/** The embedded PostgreSQL, listening on the loopback address only. */
export interface Postgres {
  readonly port: number;
  readonly connectionString: string;
  /** Fast shutdown: open transactions are rolled back, a checkpoint is written. */
  stop(): Promise<void>;
  /** Again, on the same port. */
  start(): Promise<void>;
}

interface Place {
  readonly home: string;
  readonly folder: string;
  readonly account: Account | undefined;
}

function findPlace({ dataDir, log }: PostgresOptions): Place {
  const wished = join(dataDir, "postgres");
  const account = postgresAccount();
  if (account === undefined) return { home: postgresHome(), folder: wished, account };
  const folder = reachableFolder(wished, account);
  if (folder !== wished) log(`The database's files are in ${folder}: the user postgres cannot enter ${dataDir}`);
  return { home: reachableHome(postgresHome(), account), folder, account };
}

/** initdb works in a draft that is renamed when it is whole: a start that was killed half-way leaves nothing to trip over. */
async function initialise({ home, folder, account }: Place, password: string): Promise<void> {
  const draft = `${folder}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  const passwordFile = join(draft, "..", `${basename(folder)}.password`);
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account !== undefined) {
    chownSync(draft, account.uid, account.gid);
    chownSync(passwordFile, account.uid, account.gid);
  }
  try {
    // The built-in locale provider needs no locale of the operating system: text sorts the same everywhere.
    const args = ["--pgdata", draft, "--username", user, "--pwfile", passwordFile, "--auth", "scram-sha-256"];
    const locale = [
      "--encoding",
      "UTF8",
      "--locale",
      "C",
      "--locale-provider",
      "builtin",
      "--builtin-locale",
      "C.UTF-8",
    ];
    await run(join(home, "bin", "initdb"), [...args, ...locale], {
      cwd: dirname(draft),
      env: { LC_ALL: "C" },
      ...account,
    });
  } catch (cause) {
    const reason =
      cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim().split("\n").at(0) : String(cause);
    throw new OperatorError(`The database could not be made in ${folder}: ${reason}`, { cause });
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(draft, folder);
}

function assertVersion(folder: string): void {
  const found = readFileSync(join(folder, "PG_VERSION"), "utf8").trim();
  if (found !== major) {
    throw new OperatorError(
      `The database in ${folder} was made by PostgreSQL ${found}, and this is ${major}: dump it with the old version and restore it`,
    );
  }
}

async function commandLine(pid: number): Promise<string> {
  if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  return (await run("ps", ["-o", "args=", "-p", String(pid)])).stdout;
}

/**
 * A server that was killed leaves postmaster.pid behind, and PostgreSQL believes it as long as any process has that number.
 * This folder is ours alone (its lock is held): a server that still runs on it is stopped, a number of another's is dropped.
 */
async function clearStalePid(folder: string): Promise<void> {
  const pidFile = join(folder, "postmaster.pid");
  if (!existsSync(pidFile) || process.platform === "win32") return;
  const identity = identifyProcess(Number(readFileSync(pidFile, "utf8").split("\n")[0]));
  if (identity === undefined) return;
  if ((await commandLine(identity.pid)).includes(folder)) await stopProcess(identity, "SIGINT", 30_000);
  else rmSync(pidFile);
}

function refusalOf(error: unknown): string {
  const wrongPassword = error instanceof Error && "code" in error && error.code === "28P01";
  if (wrongPassword)
    return "The database was made with other secrets than those of secrets.json (restore the file from a backup)";
  return `PostgreSQL takes no connections (${error instanceof Error ? error.message : String(error)})`;
}

/** Resolves when a query is answered; false if the server ended before. */
async function becomesReady(child: Child, connectionString: string): Promise<boolean> {
  for (const deadline = Date.now() + readyTimeoutMs; child.isRunning(); await sleep(50)) {
    const client = new Client({ connectionString, connectionTimeoutMillis: 5_000 });
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.query("select 1");
      return true;
    } catch (error) {
      const refused = error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
      if (Date.now() > deadline || !(refused || isStartingUp(error))) {
        if (!child.isRunning()) return false;
        throw new OperatorError(`${refusalOf(error)}: the rest is in the log of PostgreSQL`, { cause: error });
      }
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  return false;
}

async function createDatabase(adminConnectionString: string): Promise<void> {
  const client = new Client({ connectionString: adminConnectionString });
  await client.connect();
  try {
    const { rowCount } = await client.query("select 1 from pg_database where datname = $1", [database]);
    if (rowCount === 0) await client.query(`create database ${database}`);
  } finally {
    await client.end();
  }
}

/** Starts the embedded PostgreSQL 17 on `<dataDir>/postgres`, which is made if need be. Hold the folder's lock. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { password, logFile, supervisor, log } = options;
  const place = findPlace(options);
  if (!existsSync(place.folder)) {
    log("Making the database …");
    await initialise(place, password);
  }
  assertVersion(place.folder);
  await clearStalePid(place.folder);

  const urlOf = (port: number, name: string): string => `postgres://${user}:${password}@127.0.0.1:${port}/${name}`;
  const launch = async (port: number): Promise<Child | undefined> => {
    const settings = {
      listen_addresses: "127.0.0.1",
      // Disks have no arms to move any more: with the default of 4 the largest servers are read whole instead of by index.
      random_page_cost: "1.1",
      unix_socket_directories: "",
      // A line of an error's own has the row that did not fit: names, or what somebody wrote.
      log_error_verbosity: "terse",
      timezone: "UTC",
      log_timezone: "UTC",
    };
    const child = await supervisor.spawn({
      name: "PostgreSQL",
      command: join(place.home, "bin", "postgres"),
      args: [
        "-D",
        place.folder,
        "-p",
        String(port),
        ...Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
      ],
      env: { LC_ALL: "C", PATH: process.env["PATH"] ?? "" },
      logFile,
      stopSignal: "SIGINT",
      stopGraceMs: 60_000,
      ...(place.account === undefined ? {} : { account: place.account }),
    });
    if (!(await becomesReady(child, urlOf(port, "postgres")))) return undefined;
    child.markReady();
    return child;
  };

  let port = await freePort(options.preferredPort);
  const begin = async (mayMove: boolean): Promise<Child> => {
    for (let attempt = 1; attempt <= startAttempts; attempt += 1) {
      const child = await launch(port);
      if (child !== undefined) return child;
      await sleep(attempt * 100);
      if (mayMove) port = await freePort(port);
    }
    throw new OperatorError(`PostgreSQL does not start (${lastLogLine(logFile) ?? "it says nothing"}): see ${logFile}`);
  };
  let child = await begin(true);
  await createDatabase(urlOf(port, "postgres"));
  return {
    port,
    connectionString: urlOf(port, database),
    stop: () => child.stop(),
    start: async () => {
      if (!child.isRunning()) child = await begin(false);
    },
  };
}
