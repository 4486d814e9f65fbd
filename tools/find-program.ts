import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { OperatorError } from "./operator-error.ts";
import { rootFolder } from "./stack/root.ts";

export type Log = (line: string) => void;

/** A program that tests need and npm does not bring, and where it comes from. */
export interface ProgramSource {
  /** "Chromium" */
  readonly name: string;
  /** "The browser tests" */
  readonly neededBy: string;
  /** The environment variable that names its program. */
  readonly variable: string;
  /** What it is called in the PATH, the first that is there wins. */
  readonly programs: readonly string[];
  /** Where installers of macOS and Windows put it; on Linux it is in the PATH. */
  readonly places?: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>>;
  /** Installed if we may. */
  readonly debianPackage?: string;
  /** What that package starts by itself as soon as it is installed: it is stopped, and does not come with the system. */
  readonly debianService?: string;
  /** A copy that is fetched for ourselves when it is not installed, and where it is then. */
  readonly copy?: { readonly path: () => string; readonly fetch: (log: Log) => Promise<void> };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function installed({ programs, places, copy }: ProgramSource): string | undefined {
  const inPath = (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => programs.map((program) => join(folder, program)));
  const candidates = [...inPath, ...(places?.[process.platform] ?? []), copy?.path() ?? ""];
  return candidates.find((path) => path !== "" && isExecutable(path));
}

interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** Runs an installer with its output shown; whether it succeeded. */
function runInstaller(command: string, args: readonly string[], { env = {}, cwd }: RunOptions = {}): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, [...args], {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...env },
      cwd,
    });
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });
}

async function installFromDebian(source: ProgramSource, log: Log): Promise<void> {
  const { name, debianPackage, debianService } = source;
  if (debianPackage === undefined || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  log(`Installing ${name} with apt-get …`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  if (await runInstaller("apt-get", ["update"], { env }))
    await runInstaller("apt-get", ["install", "-y", debianPackage], { env });
  // Fails in a container, where nothing was started either.
  if (debianService !== undefined) await runInstaller("systemctl", ["disable", "--now", debianService]);
}

/**
 * A program out of Debian's package, which is not installed: it would start a server. It is kept outside node_modules, which every `npm ci`
 * empties.
 */
export function debianCopy(packageName: string, program: string): NonNullable<ProgramSource["copy"]> {
  const kept = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "lescopains");
  const path = join(kept, program);
  return { path: () => path, fetch: (log) => takeFromDebian(packageName, program, kept, log) };
}

async function takeFromDebian(packageName: string, program: string, kept: string, log: Log): Promise<void> {
  if (process.platform !== "linux") return;
  log(`Downloading ${program} with apt-get …`);
  mkdirSync(kept, { recursive: true });
  const folder = mkdtempSync(join(kept, `${program}-`));
  try {
    if (process.getuid?.() === 0) await runInstaller("apt-get", ["update"]);
    // As root apt would download as another user, who may not write here.
    const asOneself = ["-o", "APT::Sandbox::User=root"];
    if (!(await runInstaller("apt-get", [...asOneself, "download", packageName], { cwd: folder }))) return;
    const file = readdirSync(folder).find((name) => name.endsWith(".deb"));
    if (file === undefined) return;
    if (!(await runInstaller("dpkg-deb", ["--extract", join(folder, file), folder]))) return;
    renameSync(join(folder, "usr", "bin", program), join(kept, program));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Playwright's own build of a browser. */
export function playwrightCopy(browser: string, path: () => string): NonNullable<ProgramSource["copy"]> {
  return {
    path,
    fetch: async (log) => {
      log(`Downloading ${browser} with Playwright …`);
      const cli = join(rootFolder, "node_modules", "playwright-core", "cli.js");
      await runInstaller(process.execPath, [cli, "install", browser]);
    },
  };
}

/**
 * The path of a program: what its variable says, the system's, else one that is had now (Debian's package as root, a copy otherwise). An
 * OperatorError says what to do when none can be had.
 */
export async function findProgram(source: ProgramSource, log: Log): Promise<string> {
  const { name, neededBy, variable, copy } = source;
  const chosen = process.env[variable];
  if (chosen !== undefined && chosen !== "") {
    if (isExecutable(chosen)) return chosen;
    throw new OperatorError(`${variable}=${chosen} is not a program: correct it, or leave it out`);
  }
  for (const attempt of [undefined, () => installFromDebian(source, log), () => copy?.fetch(log)]) {
    await attempt?.();
    const path = installed(source);
    if (path !== undefined) return path;
  }
  throw new OperatorError(`${neededBy} need ${name}: install it, or set ${variable} to its program`);
}
