import { spawn } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";
import { OperatorError } from "./operator-error.ts";
import { rootFolder } from "./stack/root.ts";

type Log = (line: string) => void;

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Where installers of macOS and Windows put it; on Linux it is in the PATH. */
const places: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ],
  win32: ["PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"].flatMap((variable) => {
    const folder = process.env[variable];
    return folder === undefined ? [] : [join(folder, "Google", "Chrome", "Application", "chrome.exe")];
  }),
};

const flags = [
  "--headless=new",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function installedChromium(): string | undefined {
  const inPath = (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)));
  const candidates = [...inPath, ...(places[process.platform] ?? []), chromium.executablePath()];
  return candidates.find((path) => path !== "" && isExecutable(path));
}

/** Runs an installer with its output shown; whether it succeeded. */
function install(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, [...args], {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...env },
    });
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });
}

async function installFromDebian(log: Log): Promise<void> {
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  log("Installing Chromium with apt-get …");
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  if (await install("apt-get", ["update"], env)) await install("apt-get", ["install", "-y", "chromium"], env);
}

async function downloadWithPlaywright(log: Log): Promise<void> {
  log("Downloading Chromium with Playwright …");
  await install(process.execPath, [
    join(rootFolder, "node_modules", "playwright-core", "cli.js"),
    "install",
    "chromium",
  ]);
}

/**
 * The path of a Chromium: CHROMIUM_PATH, the system's, else one that is installed now (Debian's package as root, Playwright's
 * download otherwise). An OperatorError says what to do when none can be had.
 */
export async function findChromium(log: Log = () => undefined): Promise<string> {
  const chosen = process.env["CHROMIUM_PATH"];
  if (chosen !== undefined && chosen !== "") {
    if (isExecutable(chosen)) return chosen;
    throw new OperatorError(`CHROMIUM_PATH=${chosen} is not a program: correct it, or leave it out`);
  }
  for (const attempt of [undefined, installFromDebian, downloadWithPlaywright]) {
    await attempt?.(log);
    const path = installedChromium();
    if (path !== undefined) return path;
  }
  throw new OperatorError("The browser tests need Chromium: install it, or set CHROMIUM_PATH to a Chrome or Chromium");
}

export interface LaunchOptions {
  /** More command line flags. */
  readonly args?: readonly string[];
}

/** Starts a headless Chromium. The caller closes it. */
export async function launchChromium({ args = [] }: LaunchOptions = {}): Promise<Browser> {
  // Chromium's sandbox cannot be set up by root.
  const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: await findChromium(), args: [...flags, ...asRoot, ...args] });
}
