import { accessSync, constants, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { LockHeldError, acquireLock } from "../bootstrap/lock.mjs";
import { OperatorError } from "../operator-error.ts";

/** Where a stack keeps what lasts (`postgres`, `actors`, `secrets.json`), and `run` and `logs`, which may be deleted when it is off. */
export interface DataFolder {
  readonly path: string;
  readonly actors: string;
  readonly logs: string;
  readonly run: string;
  /** Another start may use the folder. */
  release(): void;
}

/** How the stack that runs (or ran last) on a data folder is reached; `npm run doctor` reads it. */
export interface StackRecord {
  readonly url: string;
  readonly databaseUrl: string;
  readonly postgresPort?: number;
}

function isStackRecord(value: unknown): value is StackRecord {
  return (
    typeof value === "object" &&
    value !== null &&
    "url" in value &&
    typeof value.url === "string" &&
    "databaseUrl" in value &&
    typeof value.databaseUrl === "string" &&
    (!("postgresPort" in value) || typeof value.postgresPort === "number")
  );
}

const recordPath = (dataDir: string): string => join(dataDir, "run", "stack.json");

export function readStackRecord(dataDir: string): StackRecord | undefined {
  try {
    const record: unknown = JSON.parse(readFileSync(recordPath(dataDir), "utf8"));
    return isStackRecord(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

export function writeStackRecord(dataDir: string, record: StackRecord): void {
  const path = recordPath(dataDir);
  writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Makes the folder and takes it for this process; OperatorErrors: it cannot be written to, or another start has it. */
export async function openDataFolder(dataDir: string): Promise<DataFolder> {
  const path = resolve(dataDir);
  const folders = { actors: join(path, "actors"), logs: join(path, "logs"), run: join(path, "run") };
  try {
    mkdirSync(path, { recursive: true, mode: 0o711 });
    for (const folder of Object.values(folders)) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      accessSync(folder, constants.W_OK);
    }
    const lock = await acquireLock(join(folders.run, "lock"), { wait: false });
    return { path, ...folders, release: lock.release };
  } catch (error) {
    if (error instanceof LockHeldError) {
      const running = readStackRecord(path)?.url;
      throw new OperatorError(
        `LesCopains already runs on ${path} (process ${error.pid}${running === undefined ? "" : `, ${running}`}): stop it first, or choose another folder with DATA_DIR`,
        { cause: error },
      );
    }
    if (!(error instanceof Error && "code" in error)) throw error;
    throw new OperatorError(
      `The folder ${path} cannot be written to (${String(error.code)}): correct its owner and mode, or choose another with DATA_DIR`,
      {
        cause: error,
      },
    );
  }
}
