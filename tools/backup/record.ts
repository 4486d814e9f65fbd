import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";

/** What the installation remembers of its last backup; `npm run doctor` looks at it. */
const BackupRecord = v.object({ path: v.string(), bytes: v.number(), at: v.pipe(v.string(), v.isoTimestamp()) });
export type BackupRecord = v.InferOutput<typeof BackupRecord>;

const recordPath = (dataDir: string): string => join(dataDir, "backup.json");

export function readBackupRecord(dataDir: string): BackupRecord | undefined {
  try {
    return v.parse(BackupRecord, JSON.parse(readFileSync(recordPath(dataDir), "utf8")));
  } catch {
    return undefined;
  }
}

export function writeBackupRecord(dataDir: string, record: BackupRecord): void {
  const path = recordPath(dataDir);
  writeFileSync(`${path}.new`, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
