import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rootFolder } from "../../tools/stack/root.ts";
import type { Machine } from "./machine.ts";
import type { Measurements } from "./measurements.ts";
import type { TargetResult } from "./targets.ts";

/** Writes `bench/results/<date>-<commit>.json`; answers its path. */
export function writeResults(
  record: Measurements,
  targets: readonly TargetResult[],
  machine: Machine,
  at: Date,
): string {
  const folder = join(rootFolder, "bench", "results");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${at.toISOString().slice(0, 19).replaceAll(":", "")}-${machine.commit}.json`);
  const content = { at: at.toISOString(), machine, targets, rows: record.rows() };
  writeFileSync(path, `${JSON.stringify(content, undefined, 2)}\n`);
  return path;
}
