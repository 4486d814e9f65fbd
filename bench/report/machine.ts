import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { rootFolder } from "../../tools/stack/root.ts";
import { workerdBinary } from "../../tools/stack/workerd-binary.ts";

/** What a number means nothing without. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGb: number;
  /** Of the minute before the run: above half of `cores`, other programs were measured too. */
  readonly loadBefore: number;
  readonly node: string;
  readonly workerd: string;
  readonly socketIo: string;
  readonly libsignal: string;
  readonly commit: string;
  /** There were changes that no commit holds. */
  readonly dirty: boolean;
}

/** What a command prints; nothing if it fails (a copy without git, say). */
function output(command: string, args: readonly string[]): string {
  const { stdout } = spawnSync(command, args, {
    cwd: rootFolder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return stdout?.trim() ?? "";
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
    loadBefore: loadavg()[0] ?? Number.NaN,
    node: process.version,
    workerd: output(workerdBinary(), ["--version"]),
    socketIo: packageVersion("socket.io"),
    libsignal: packageVersion("@signalapp/libsignal-client"),
    commit: output("git", ["rev-parse", "--short", "HEAD"]) || "unknown",
    dirty: output("git", ["status", "--porcelain"]) !== "",
  };
}

/** One line for people, and a second when the machine was busy with other things. */
export function describeMachine({ cores, cpu, node, workerd, commit, dirty, loadBefore }: Machine): string {
  const line = `${cores} × ${cpu}, Node ${node}, ${workerd}, commit ${commit}${dirty ? " with changes" : ""}`;
  return loadBefore > cores / 2
    ? `${line}\nThe machine was busy (load ${loadBefore.toFixed(1)}): trust the ratios, not the milliseconds.`
    : line;
}
