#!/usr/bin/env node
/**
 * `node tools/run.mjs <command> [arguments]`: installs what is missing, then runs the command under the project's Node.
 * Needs nothing but Node 20.
 */
import { spawn } from "node:child_process";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureInstalled } from "./bootstrap/install.mjs";
import { nodeBinary } from "./bootstrap/node-binary.mjs";
import { npmProcess } from "./bootstrap/npm-process.mjs";
import { isRunning } from "./bootstrap/process-identity.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @type {Readonly<Record<string, string>>} */
const commands = {
  start: "tools/start.ts",
  test: "tools/test.ts",
  verify: "tools/verify.ts",
  "test:containers": "tools/test-containers.ts",
  bench: "bench/main.ts",
  doctor: "tools/doctor.ts",
  "voice-node": "tools/voice-node.ts",
  backup: "tools/backup.ts",
  restore: "tools/restore.ts",
  "password-link": "tools/password-link.ts",
  "deploy:edge": "tools/deploy-edge.ts",
  sfu: "tools/sfu.ts",
  screenshots: "tests/browser/screenshots.ts",
};

/** npm hands signals on, but when it is killed itself, only its absence tells. */
const npmPollMs = 1_000;
const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/**
 * Runs the script and hands on signals, each run's first one only (a terminal and npm both send it); resolves with its end.
 * @param {string} script @param {string[]} args @param {AbortSignal} stop
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null }>}
 */
function runScript(script, args, stop) {
  const child = spawn(nodeBinary(root), [join(root, script), ...args], {
    cwd: root,
    // The fourth is a channel that closes when this process dies, however it dies; the script then stops too.
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    // A session of its own, so that Ctrl-C reaches it once, from here.
    detached: process.platform !== "win32",
    env: { ...process.env, PATH: `${join(root, "node_modules", ".bin")}${delimiter}${process.env["PATH"] ?? ""}` },
  });
  const pass = () => child.kill(stop.reason);
  if (stop.aborted) pass();
  else stop.addEventListener("abort", pass, { once: true });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
}

async function main() {
  const [command = "", ...args] = process.argv.slice(2);
  const script = commands[command];
  if (script === undefined) {
    throw new Error(`There is no command "${command}": use one of ${Object.keys(commands).join(", ")}`);
  }
  const stop = new AbortController();
  for (const signal of signals) process.on(signal, () => stop.abort(signal));
  const npm = npmProcess();
  if (npm !== undefined) setInterval(() => isRunning(npm) || stop.abort("SIGTERM"), npmPollMs).unref();

  await ensureInstalled(root, stop.signal);
  if (stop.signal.aborted) return 130;
  const { code, signal } = await runScript(script, args, stop.signal);
  if (signal === null) return code ?? 1;
  for (const handled of signals) process.removeAllListeners(handled);
  process.kill(process.pid, signal);
  return 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof Error && error.name === "AbortError") process.exitCode = 130;
  else {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
