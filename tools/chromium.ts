import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, BrowserContextOptions } from "playwright-core";
import { findProgram, playwrightCopy, type ProgramSource } from "./find-program.ts";

const source: ProgramSource = {
  name: "Chromium",
  neededBy: "The browser tests",
  variable: "CHROMIUM_PATH",
  programs: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
  places: {
    darwin: [
      "/Applications/Chromium.app/Contents/MacOS/Chromium",
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ],
    win32: ["PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"].flatMap((variable) => {
      const folder = process.env[variable];
      return folder === undefined ? [] : [join(folder, "Google", "Chrome", "Application", "chrome.exe")];
    }),
  },
  debianPackage: "chromium",
  copy: playwrightCopy("chromium", () => chromium.executablePath()),
};

const flags = [
  "--headless=new",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** The path of a Chromium, which is installed if need be. */
export async function findChromium(log: (line: string) => void = () => undefined): Promise<string> {
  return await findProgram(source, log);
}

export interface LaunchOptions {
  /** More command line flags. */
  readonly args?: readonly string[];
}

// Chromium's sandbox cannot be set up by root.
const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

/** Starts a headless Chromium. The caller closes it. */
export async function launchChromium({ args = [] }: LaunchOptions = {}): Promise<Browser> {
  return chromium.launch({ executablePath: await findChromium(), args: [...flags, ...asRoot, ...args] });
}

/** As `launchChromium`, with everything kept in `folder` from one start to the next. */
export async function launchProfile(folder: string, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const args = [...flags, ...asRoot];
  return chromium.launchPersistentContext(folder, { ...options, executablePath: await findChromium(), args });
}
