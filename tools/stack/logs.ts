import { closeSync, existsSync, fstatSync, openSync, readSync, renameSync, statSync } from "node:fs";

/** A log that has grown past this is set aside at the next start; the one set aside before is dropped. */
const keepBytes = 10 * 1024 * 1024;
const tailBytes = 4096;

/** Opens a log for appending. The caller closes it. */
export function openLog(path: string): number {
  if (existsSync(path) && statSync(path).size > keepBytes) renameSync(path, `${path}.1`);
  return openSync(path, "a", 0o600);
}

/** The last line of a log that says something, or undefined. Reads the end of the file only. */
export function lastLogLine(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(file);
    const length = Math.min(size, tailBytes);
    const bytes = Buffer.alloc(length);
    readSync(file, bytes, 0, length, size - length);
    return bytes
      .toString("utf8")
      .split("\n")
      .map((line) => line.trim())
      .findLast((line) => line !== "");
  } finally {
    closeSync(file);
  }
}
