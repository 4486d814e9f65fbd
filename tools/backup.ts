/** `npm run backup -- <file or folder> [--keep <n>]`: everything an installation is, in one encrypted file; it may run meanwhile. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { writeArchive } from "./backup/archive.ts";
import { dump } from "./backup/dump.ts";
import { fileFor, keepNewest, tellMonitoring } from "./backup/keep.ts";
import { passphrase } from "./backup/passphrase.ts";
import { dataFolder, withDatabase } from "./backup/place.ts";
import { writeBackupRecord } from "./backup/record.ts";
import { runCommand } from "./command.ts";
import { OperatorError } from "./operator-error.ts";

const usage = "Say where to: npm run backup -- <file or folder> [--keep <n>]";

interface Wish {
  readonly path: string;
  readonly keep: number | undefined;
}

function wish(now: Date): Wish {
  let parsed;
  try {
    parsed = parseArgs({ args: process.argv.slice(2), allowPositionals: true, options: { keep: { type: "string" } } });
  } catch (cause) {
    throw new OperatorError(`${cause instanceof Error ? cause.message : String(cause)}. ${usage}`, { cause });
  }
  const [target, ...more] = parsed.positionals;
  if (target === undefined || more.length > 0) throw new OperatorError(usage);
  const { path, inFolder } = fileFor(resolve(target), now);
  if (!existsSync(dirname(path))) throw new OperatorError(`There is no folder ${dirname(path)}: make it first`);
  if (existsSync(path)) throw new OperatorError(`${path} is there already: choose another name`);
  const { keep } = parsed.values;
  if (keep === undefined) return { path, keep: undefined };
  if (!inFolder)
    throw new OperatorError(
      `--keep is for folders, where each backup has its own name, and there is no folder ${path}`,
    );
  if (!/^[1-9]\d{0,3}$/.test(keep)) throw new OperatorError(`--keep ${keep}: how many backups stay, from 1 to 9999`);
  return { path, keep: Number(keep) };
}

await runCommand(async (stop) => {
  const now = new Date();
  const { path, keep } = wish(now);
  const secret = await passphrase(true);
  const dataDir = dataFolder();
  const beganMs = performance.now();
  let rows = 0;
  const bytes = await withDatabase(dataDir, { alone: false }, async (connectionString) => {
    const secrets = readSecrets(dataDir);
    return writeArchive(path, secret, async (add) => {
      rows = await dump(connectionString, secrets, (name, part) => {
        stop.throwIfAborted();
        return add(name, part);
      });
    });
  });
  tellMonitoring(path, bytes, now);
  writeBackupRecord(dataDir, { path, bytes, at: now.toISOString() });
  const seconds = ((performance.now() - beganMs) / 1_000).toFixed(1);
  console.log(`Backed up ${rows} rows and the secrets to ${path} (${(bytes / 1e6).toFixed(1)} MB, ${seconds} s)`);
  if (keep !== undefined) for (const name of keepNewest(dirname(path), keep)) console.log(`Deleted ${name}`);
  return 0;
});

function readSecrets(dataDir: string): string {
  const path = join(dataDir, "secrets.json");
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new OperatorError(
      `The secrets cannot be read (${path}): set DATA_DIR to the folder that has them, for without them a backup is worth little`,
      { cause },
    );
  }
}
