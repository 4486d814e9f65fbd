import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { build as esbuild } from "esbuild";
import { acquireLock } from "../bootstrap/lock.mjs";
import { OperatorError } from "../operator-error.ts";
import { fingerprint } from "./fingerprint.ts";
import { precompress } from "./precompress.ts";
import { rootFolder } from "./root.ts";

type Log = (line: string) => void;

const cacheFolder = join(rootFolder, ".cache");
const binFolder = join(rootFolder, "node_modules", ".bin");

/** The bundle of edge/src/index.ts: `index.js`, and what it imports that is no JavaScript. */
export const edgeFolder: string = join(cacheFolder, "edge");
/** The bundle of the password hasher alone: `index.js`. */
export const passwordsFolder: string = join(cacheFolder, "passwords");
/** The built web client, each file with `.br` and `.gz` copies beside it. */
export const webFolder: string = join(rootFolder, "web", "dist");

interface Tool {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What the tools find around them: no telemetry, no look-ups, no log files in the home folder, for a build needs no network. */
export function buildEnvironment(): Record<string, string> {
  const inherited = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    ...Object.fromEntries(inherited),
    PATH: `${binFolder}${delimiter}${process.env["PATH"] ?? ""}`,
    NODE_ENV: "production",
    FORCE_COLOR: "0",
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_LOG_PATH: join(cacheFolder, "wrangler-logs"),
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
  };
}

/** Runs a tool of node_modules; answers what it printed. Throws an OperatorError of `failure` and that. */
export async function runTool(failure: string, { command, args, cwd, env = {} }: Tool): Promise<string> {
  const output: Buffer[] = [];
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(join(binFolder, command), [...args], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
      env: { ...buildEnvironment(), ...env },
    });
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
    child.once("error", reject);
    child.once("close", resolve);
  });
  const printed = Buffer.concat(output).toString("utf8").trim();
  if (code !== 0) throw new OperatorError(`${failure}:\n${printed}`);
  return printed;
}

/** Builds unless the result of the same inputs is there. Two processes at once: the second waits, and finds it done. */
async function buildOnce(
  name: string,
  inputs: readonly string[],
  result: string,
  build: () => Promise<void>,
): Promise<void> {
  const stampFile = join(cacheFolder, `${name}.stamp`);
  const upToDate = (stamp: string): boolean =>
    existsSync(result) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;
  if (upToDate(fingerprint(inputs))) return;
  mkdirSync(cacheFolder, { recursive: true });
  const lock = await acquireLock(join(cacheFolder, `${name}.lock`), { wait: true });
  try {
    const stamp = fingerprint(inputs);
    if (upToDate(stamp)) return;
    rmSync(stampFile, { force: true });
    await build();
    writeFileSync(stampFile, stamp);
  } finally {
    lock.release();
  }
}

const edgeInputs = [
  "wrangler.toml",
  "package-lock.json",
  "edge/package.json",
  "edge/src",
  "protocol/package.json",
  "protocol/src",
];

/**
 * Bundles the edge with wrangler, exactly as `wrangler deploy` would, and the password hasher by itself. Throws an OperatorError with the bundler's
 * words.
 */
export async function buildEdge(log: Log): Promise<void> {
  await buildOnce("edge", edgeInputs, join(edgeFolder, "index.js"), async () => {
    log("Building the edge …");
    mkdirSync(webFolder, { recursive: true }); // wrangler refuses an assets folder that is not there.
    const draft = join(cacheFolder, "edge.new");
    rmSync(draft, { recursive: true, force: true });
    await runTool("The edge cannot be built", {
      command: "wrangler",
      args: ["deploy", "--dry-run", "--outdir", draft],
      cwd: rootFolder,
    });
    rmSync(edgeFolder, { recursive: true, force: true });
    renameSync(draft, edgeFolder);
  });
  await buildPasswords();
}

/** A process that starts with the edge's whole bundle takes six times the processor for that, and half as much memory again. */
async function buildPasswords(): Promise<void> {
  const outfile = join(passwordsFolder, "index.js");
  await buildOnce("passwords", edgeInputs, outfile, async () => {
    await esbuild({
      absWorkingDir: rootFolder,
      entryPoints: ["edge/src/auth/passwords-entrypoint.ts"],
      outfile,
      bundle: true,
      format: "esm",
      target: "es2024",
      // As wrangler finds packages for workerd.
      platform: "browser",
      conditions: ["workerd", "worker", "browser"],
      external: ["cloudflare:*"],
      logLevel: "silent",
    }).catch((cause: unknown) => {
      throw new OperatorError(`The password hasher cannot be built:\n${String(cause)}`, { cause });
    });
  });
}

/** Builds the web client with Vite and compresses it. Throws an OperatorError with Vite's words. */
export async function buildWeb(log: Log): Promise<void> {
  const inputs = ["web", "package-lock.json", "protocol/package.json", "protocol/src", "tools/stack/precompress.ts"];
  await buildOnce("web", inputs, join(webFolder, "index.html"), async () => {
    log("Building the web client …");
    await runTool("The web client cannot be built", { command: "vite", args: ["build"], cwd: join(rootFolder, "web") });
    await precompress(webFolder);
  });
}
