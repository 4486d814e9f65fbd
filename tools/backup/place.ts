import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { LockHeldError } from "../bootstrap/lock.mjs";
import { OperatorError } from "../operator-error.ts";
import { openDataFolder, readStackRecord } from "../stack/data-folder.ts";
import { checkDatabaseUrl } from "../stack/database-url.ts";
import { startPostgres } from "../stack/postgres.ts";
import { rootFolder } from "../stack/root.ts";
import { loadSecrets } from "../stack/secrets.ts";
import { startSupervisor, stopOrphans } from "../stack/supervisor.ts";

/** Where the installation has its secrets: DATA_DIR, or `.data` of the repository. */
export function dataFolder(): string {
  return resolve(process.env["DATA_DIR"] || join(rootFolder, ".data"));
}

/** The migrations: beside the command in an image, in the repository otherwise. */
export function migrationsFolder(): string {
  const beside = join(import.meta.dirname, "migrations");
  return existsSync(beside) ? beside : join(rootFolder, "migrations");
}

/**
 * Runs something with the installation's database: that of DATABASE_URL; else the embedded one, which is started when it does not run.
 * `alone`: nothing else of LesCopains may run meanwhile. OperatorErrors say why there is no database.
 */
export async function withDatabase<T>(
  dataDir: string,
  { alone }: { readonly alone: boolean },
  use: (connectionString: string) => Promise<T>,
): Promise<T> {
  const url = process.env["DATABASE_URL"];
  if (url !== undefined && url !== "") {
    await checkDatabaseUrl(url);
    return use(url);
  }
  if (!alone && !existsSync(join(dataDir, "secrets.json")))
    throw new OperatorError(
      `Nothing was ever started on ${dataDir}: set DATA_DIR to the folder in use, or DATABASE_URL`,
    );
  const folder = await openDataFolder(dataDir).catch((error: unknown) => {
    if (alone || !(error instanceof OperatorError) || !(error.cause instanceof LockHeldError)) throw error;
    return undefined;
  });
  if (folder === undefined) {
    const running = readStackRecord(dataDir);
    if (running === undefined)
      throw new OperatorError(`LesCopains is just starting on ${dataDir}: try again when it is ready`);
    return use(running.databaseUrl);
  }
  const recordFile = join(folder.run, "processes.json");
  const log = (line: string): void => console.log(line);
  await stopOrphans(recordFile, log);
  const supervisor = startSupervisor({ recordFile, onCrash: () => undefined });
  try {
    const preferredPort = readStackRecord(folder.path)?.postgresPort;
    const postgres = await startPostgres({
      dataDir: folder.path,
      logFile: join(folder.logs, "postgres.log"),
      password: loadSecrets(folder.path).postgresPassword,
      supervisor,
      log,
      ...(preferredPort === undefined ? {} : { preferredPort }),
    });
    try {
      return await use(postgres.connectionString);
    } finally {
      await postgres.stop();
    }
  } finally {
    supervisor.close();
    folder.release();
  }
}
