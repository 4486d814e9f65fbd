import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { acquireLock } from "./lock.mjs";

/** How often a line shows that npm still works: it prints nothing itself when its output is no terminal. */
const tickMs = 10_000;

/** @param {string} path */
function readText(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/**
 * The packages of a lock file, by their place in the tree.
 * @param {string} text
 * @returns {Record<string, { version?: string, link?: boolean, optional?: boolean, devOptional?: boolean }>}
 */
function packagesOf(text) {
  return JSON.parse(text).packages ?? {};
}

/**
 * Whether npm itself says, in the hidden lock file that it writes when an install succeeded, that everything the lock file
 * asks for is there. So an `npm install` by hand is not followed by a second one. Optional packages depend on the platform.
 * @param {string} lockText @param {string} hiddenText
 */
function agrees(lockText, hiddenText) {
  const installed = packagesOf(hiddenText);
  return Object.entries(packagesOf(lockText)).every(
    ([place, { version, link, optional, devOptional }]) =>
      !place.includes("node_modules/") || link || optional || devOptional || installed[place]?.version === version,
  );
}

/** @param {string} root */
function isInstalled(root) {
  const lockText = readText(join(root, "package-lock.json"));
  if (lockText === undefined)
    throw new Error("package-lock.json is missing: restore it with `git checkout package-lock.json`");
  const stampFile = join(root, "node_modules", ".lescopains-installed");
  const stamp = `${createHash("sha256").update(lockText).digest("hex")} ${process.platform}-${process.arch}`;
  const markInstalled = () => writeFileSync(stampFile, stamp);
  if (readText(stampFile) === stamp) return { installed: true, markInstalled };
  const hiddenText = readText(join(root, "node_modules", ".package-lock.json"));
  // Packages of another platform (a folder shared with a container) would be found by name and fail to run.
  const samePlatform = readText(stampFile)?.endsWith(` ${process.platform}-${process.arch}`) ?? true;
  if (hiddenText !== undefined && samePlatform && agrees(lockText, hiddenText)) {
    markInstalled();
    return { installed: true, markInstalled };
  }
  return { installed: false, markInstalled };
}

/**
 * @param {string} root @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function npmCi(root, signal) {
  // Also where the surrounding npm or NODE_ENV asks for less: the tools are development dependencies.
  const args = ["ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund"];
  const npmPath = process.env["npm_execpath"];
  const fromNpm = npmPath !== undefined && npmPath.endsWith("npm-cli.js");
  const windows = process.platform === "win32";
  return new Promise((resolve, reject) => {
    const child = fromNpm
      ? spawn(process.execPath, [npmPath, ...args], { cwd: root, stdio: "inherit", signal, killSignal: "SIGTERM" })
      : spawn(windows ? "npm.cmd" : "npm", args, {
          cwd: root,
          stdio: "inherit",
          shell: windows,
          signal,
          killSignal: "SIGTERM",
        });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(
            `The dependencies could not be installed (npm ci ended with ${code}): see its messages above, then try again`,
          ),
        );
    });
  });
}

/**
 * Installs the dependencies unless those of this package-lock.json are there. A second process waits for the first.
 * @param {string} root @param {AbortSignal} signal gives the installation up
 */
export async function ensureInstalled(root, signal) {
  if (isInstalled(root).installed) return;
  mkdirSync(join(root, ".cache"), { recursive: true });
  const lock = await acquireLock(join(root, ".cache", "install.lock"), {
    wait: true,
    onWait: (pid) => console.log(`Waiting for process ${pid}, which installs the dependencies …`),
  });
  const startedMs = Date.now();
  const ticker = setInterval(() => {
    console.log(`… still installing (${Math.round((Date.now() - startedMs) / 1000)} s)`);
  }, tickMs);
  try {
    if (signal.aborted || isInstalled(root).installed) return;
    console.log("Installing the dependencies (a minute or two, this once) …");
    await npmCi(root, signal);
    isInstalled(root).markInstalled();
  } finally {
    clearInterval(ticker);
    lock.release();
  }
}
