import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const pattern = /^lescopains-\d{8}T\d{9}Z\.age$/;
/** What a killed backup left behind: nothing takes so long to be written. */
const leftoverMs = 24 * 60 * 60_000;

/** Where a backup of now goes: `target` itself, or inside of it a name with the time when it is a folder. */
export function fileFor(target: string, now: Date): { readonly path: string; readonly inFolder: boolean } {
  const inFolder = statSync(target, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!inFolder) return { path: target, inFolder };
  const time = now.toISOString().replaceAll(/[-:.]/g, "");
  return { path: join(target, `lescopains-${time}.age`), inFolder };
}

/** Deletes all but the newest `count` backups of a folder, and what killed ones left. Answers the names that went. */
export function keepNewest(folder: string, count: number): string[] {
  const names = readdirSync(folder);
  const old = names
    .filter((name) => pattern.test(name))
    .toSorted()
    .toReversed()
    .slice(count);
  const leftovers = names.filter((name) => {
    if (!name.endsWith(".part") || !pattern.test(basename(name, ".part"))) return false;
    return Date.now() - statSync(join(folder, name)).mtimeMs > leftoverMs;
  });
  const gone = [...old, ...leftovers];
  for (const name of gone) rmSync(join(folder, name), { force: true });
  return gone;
}

/** Tells Prometheus' node exporter (`--collector.textfile.directory`) about a backup that was made, in a file beside it. */
export function tellMonitoring(path: string, bytes: number, takenAt: Date): void {
  const file = join(dirname(path), "lescopains_backup.prom");
  const text = [
    "# HELP lescopains_backup_last_success_timestamp_seconds When the last backup that is whole was begun.",
    "# TYPE lescopains_backup_last_success_timestamp_seconds gauge",
    `lescopains_backup_last_success_timestamp_seconds ${Math.floor(takenAt.getTime() / 1_000)}`,
    "# HELP lescopains_backup_size_bytes Size of the last backup.",
    "# TYPE lescopains_backup_size_bytes gauge",
    `lescopains_backup_size_bytes ${bytes}`,
    "",
  ].join("\n");
  // The exporter runs as somebody else, and reads whole files only.
  writeFileSync(`${file}.new`, text, { mode: 0o644 });
  renameSync(`${file}.new`, file);
}
