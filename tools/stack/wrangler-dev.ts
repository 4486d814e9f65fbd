import { cpSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OperatorError } from "../operator-error.ts";
import { buildEnvironment } from "./build.ts";
import { lastLogLine } from "./logs.ts";
import { freePort } from "./ports.ts";
import { signalProcess } from "./processes.ts";
import { describeExit } from "./supervisor.ts";
import type { Child } from "./supervisor.ts";
import type { Workerd, WorkerdOptions } from "./workerd.ts";
import { configOf } from "./wrangler-config.ts";

const stopGraceMs = 10_000;
const readyTimeoutMs = 60_000;

/** wrangler's program itself: what stands in `.bin` starts another process, which outlives a signal to the first. */
function wranglerProgram(): string {
  return join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "wrangler-dist", "cli.js");
}

/**
 * The same bundle in `wrangler dev`, which is workerd set up by Miniflare: what Cloudflare's own tools make of wrangler.toml. Passwords are
 * hashed in the same process here, and no SFU node is behind the edge's own address.
 */
export async function startWranglerDev(options: WorkerdOptions): Promise<Workerd> {
  const { runFolder, logFolder, actorsFolder, host, env, supervisor } = options;
  const bundleFolder = join(runFolder, "bundle");
  rmSync(bundleFolder, { recursive: true, force: true });
  cpSync(options.edgeFolder, bundleFolder, { recursive: true });
  // wrangler watches what its configuration names, and starts the worker anew, in the middle of requests, when that changes.
  const webFolder = join(runFolder, "web");
  rmSync(webFolder, { recursive: true, force: true });
  cpSync(options.webFolder, webFolder, { recursive: true });
  const configFile = join(runFolder, "wrangler.json");
  writeFileSync(configFile, JSON.stringify(configOf(bundleFolder, webFolder)));
  const envFile = join(runFolder, "wrangler.env");
  const settings = Object.entries(env).filter(([, value]) => value !== "");
  writeFileSync(envFile, settings.map(([name, value]) => `${name}='${value}'\n`).join(""), { mode: 0o600 });
  const logFile = join(logFolder, "workerd.log");
  const port = options.port === 0 ? await freePort() : options.port;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;

  const launch = async (): Promise<Child> => {
    const child = await supervisor.spawn({
      name: "wrangler dev",
      command: process.execPath,
      args: [
        "--no-warnings",
        wranglerProgram(),
        "dev",
        "--local",
        `--config=${configFile}`,
        `--ip=${host}`,
        `--port=${port}`,
        "--inspector-port=0",
        `--env-file=${envFile}`,
        `--persist-to=${actorsFolder}`,
        "--show-interactive-dev-session=false",
      ],
      env: { ...buildEnvironment(), WRANGLER_REGISTRY_PATH: join(runFolder, "wrangler-registry"), CI: "true" },
      logFile,
      stopSignal: "SIGTERM",
      stopGraceMs,
    });
    for (const deadline = Date.now() + readyTimeoutMs; child.isRunning() && Date.now() < deadline; await sleep(50)) {
      try {
        await fetch(`${url}/health`);
        child.markReady();
        return child;
      } catch {
        // Not yet.
      }
    }
    const reason = child.isRunning() ? "it does not answer" : describeExit(await child.exited);
    await child.stop();
    throw new OperatorError(`wrangler dev does not start (${lastLogLine(logFile) ?? reason}): see ${logFile}`);
  };

  let child = await launch();
  return {
    port,
    pid: () => child.pid,
    kill9: async () => {
      const ended = child.kill9();
      // What it has started is of its group, and would go on: workerd.
      signalProcess(-child.pid, "SIGKILL");
      await ended;
    },
    restart: async () => {
      await child.stop();
      child = await launch();
    },
    stop: () => child.stop(),
  };
}
