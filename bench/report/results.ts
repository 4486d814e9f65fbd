import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { join } from "node:path";
import { rootFolder } from "../../tools/stack/root.ts";
import { workerdBinary } from "../../tools/stack/workerd-binary.ts";
import type { Measurements } from "./measurements.ts";
import type { TargetResult } from "./targets.ts";

/** What a number means nothing without. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGb: number;
  readonly node: string;
  readonly workerd: string;
  readonly socketIo: string;
  readonly commit: string;
  /** There were changes that no commit holds. */
  readonly dirty: boolean;
}

function output(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { cwd: rootFolder, encoding: "utf8" }).trim();
}

function packageVersion(name: string): string {
  const parsed: unknown = JSON.parse(readFileSync(join(rootFolder, "node_modules", name, "package.json"), "utf8"));
  return typeof parsed === "object" && parsed !== null && "version" in parsed ? String(parsed.version) : "unknown";
}

export function machineFacts(): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? "unknown",
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    workerd: output(workerdBinary(), ["--version"]),
    socketIo: packageVersion("socket.io"),
    commit: output("git", ["rev-parse", "--short", "HEAD"]),
    dirty: output("git", ["status", "--porcelain"]) !== "",
  };
}

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
