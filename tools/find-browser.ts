import { spawn } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { OperatorError } from "./operator-error.ts";
import { rootFolder } from "./stack/root.ts";

type Log = (line: string) => void;

/** A browser that tests run in, and where it comes from. */
export interface BrowserSource {
  /** "Chromium" */
  readonly name: string;
  /** The environment variable that names its program. */
  readonly variable: string;
  /** What it is called in the PATH, the first that is there wins. */
  readonly programs: readonly string[];
  /** Where installers of macOS and Windows put it; on Linux it is in the PATH. */
  readonly places: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>>;
  readonly debianPackage: string;
  /** Playwright's own build of it, and its name there. Left out where tests need the real one. */
  readonly playwright?: { readonly name: string; readonly path: () => string };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function installed({ programs, places, playwright }: BrowserSource): string | undefined {
  const inPath = (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => programs.map((program) => join(folder, program)));
  const candidates = [...inPath, ...(places[process.platform] ?? []), playwright?.path() ?? ""];
  return candidates.find((path) => path !== "" && isExecutable(path));
}

/** Runs an installer with its output shown; whether it succeeded. */
function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, [...args], {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...env },
    });
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });
}

async function installFromDebian({ name, debianPackage }: BrowserSource, log: Log): Promise<void> {
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  log(`Installing ${name} with apt-get …`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  if (await run("apt-get", ["update"], env)) await run("apt-get", ["install", "-y", debianPackage], env);
}

async function downloadWithPlaywright({ name, playwright }: BrowserSource, log: Log): Promise<void> {
  if (playwright === undefined) return;
  log(`Downloading ${name} with Playwright …`);
  const cli = join(rootFolder, "node_modules", "playwright-core", "cli.js");
  await run(process.execPath, [cli, "install", playwright.name]);
}

/**
 * The path of a browser: what its variable says, the system's, else one that is installed now (Debian's package as root, Playwright's
 * download otherwise). An OperatorError says what to do when none can be had.
 */
export async function findBrowser(source: BrowserSource, log: Log): Promise<string> {
  const { name, variable } = source;
  const chosen = process.env[variable];
  if (chosen !== undefined && chosen !== "") {
    if (isExecutable(chosen)) return chosen;
    throw new OperatorError(`${variable}=${chosen} is not a program: correct it, or leave it out`);
  }
  for (const attempt of [undefined, installFromDebian, downloadWithPlaywright]) {
    await attempt?.(source, log);
    const path = installed(source);
    if (path !== undefined) return path;
  }
  throw new OperatorError(`The browser tests need ${name}: install it, or set ${variable} to its program`);
}
