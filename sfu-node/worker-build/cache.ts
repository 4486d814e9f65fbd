import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { basename, dirname, join, relative } from "node:path";

/** The recipe of the build from source. */
export const recipeFolder: string = join(import.meta.dirname, "recipe");

/** The folder of the mediasoup package. */
export function mediasoupFolder(): string {
  return dirname(dirname(dirname(createRequire(import.meta.url).resolve("mediasoup"))));
}

/** What a worker does that is started by nobody's mediasoup: it says so and ends with this code. */
const startedByHandCode = 41;

/** Whether this file is a mediasoup worker that this machine can run: its libraries are there and fit. */
export function runs(binary: string): boolean {
  const { MEDIASOUP_VERSION: _version, ...env } = process.env;
  return spawnSync(binary, [], { stdio: "ignore", env, timeout: 10_000 }).status === startedByHandCode;
}

function recipeHash(): string {
  const hash = createHash("sha256");
  const files = readdirSync(recipeFolder, { recursive: true, encoding: "utf8" }).toSorted();
  for (const file of files) {
    const path = join(recipeFolder, file);
    if (statSync(path).isFile()) hash.update(relative(recipeFolder, path)).update("\0").update(readFileSync(path));
  }
  return hash.digest("hex");
}

/**
 * The libraries that a worker built here is linked to, by the full names of their files (`libuv.so.1.0.0`): a new version with another
 * binary interface has another name, a security update does not. Empty where there is no ldconfig: no build from source there either.
 */
function libraryNames(): string[] {
  let listed: string;
  try {
    listed = execFileSync("ldconfig", ["-p"], {
      encoding: "utf8",
      env: { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return [];
  }
  const paths = [...listed.matchAll(/^\s*lib(?:ssl|crypto|uv|srtp2|absl_strings|stdc\+\+|c)\.so\..*=> (.+)$/gm)];
  return [...new Set(paths.map(([, path = ""]) => basename(realpathSync(path))))].toSorted();
}

function mediasoupVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(mediasoupFolder(), "package.json"), "utf8"));
  if (typeof manifest === "object" && manifest !== null && "version" in manifest) return String(manifest.version);
  throw new Error("mediasoup's package.json has no version");
}

/** Where workers are kept: outside node_modules, which every `npm ci` empties. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "lescopains", "mediasoup-worker");
}

/** The name of the worker for this mediasoup, recipe and machine. Installing what a build needs may change it. */
export function workerName(): string {
  const key = createHash("sha256")
    .update(JSON.stringify([recipeHash(), libraryNames()]))
    .digest("hex");
  const suffix = process.platform === "win32" ? ".exe" : "";
  return `${mediasoupVersion()}-${process.platform}-${process.arch}-${key.slice(0, 16)}${suffix}`;
}
