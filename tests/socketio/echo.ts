import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { build } from "esbuild";

import type { Settings } from "../../edge/src/socketio/server.ts";

/** The package says where its binary is, in CommonJS only. */
const { default: workerd } = createRequire(import.meta.url)("workerd") as { default: string };

/** A running workerd. */
export interface Echo {
  readonly url: string;
  readonly pid: number;
  /** What workerd and the worker have printed. */
  output(): string;
  stop(): Promise<void>;
}

export interface EchoOptions {
  /** File beside this one; `echo-worker.ts` unless said otherwise. Its actors are SOCKET_ECHO and ENGINE_ECHO. */
  worker?: string;
  settings?: Partial<Settings>;
  /** Hibernating actors sweep this often; so seldom by default that they can hibernate. */
  sweepEveryMs?: number;
  port?: number;
}

/** Bundles a worker and runs it in plain workerd on a free port; resolves when it answers. */
export async function startEcho(options: EchoOptions = {}): Promise<Echo> {
  const folder = await mkdtemp(join(tmpdir(), "socketio-echo-"));
  const port = options.port ?? (await freePort());
  await bundle(options.worker ?? "echo-worker.ts", join(folder, "worker.js"));
  await writeFile(join(folder, "config.capnp"), config(port, options));
  const child = spawn(workerd, ["serve", join(folder, "config.capnp")], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilAnswering(url, child, () => output);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, pid: child.pid ?? 0, output: () => output, stop };
}

/** engine.io-parser must be its Node build: its browser build needs FileReader. */
async function bundle(worker: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, worker)],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2024",
    mainFields: ["module", "main"],
    external: ["cloudflare:*"],
    logLevel: "error",
  });
}

function config(port: number, options: EchoOptions): string {
  const settings = JSON.stringify(JSON.stringify(options.settings ?? {}));
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-01",
  compatibilityFlags = ["no_web_socket_compression"],
  bindings = [
    (name = "SOCKET_ECHO", durableObjectNamespace = "SocketEcho"),
    (name = "ENGINE_ECHO", durableObjectNamespace = "EngineEcho"),
    (name = "SETTINGS", json = ${settings}),
    (name = "SWEEP_EVERY_MS", json = "${options.sweepEveryMs ?? 3_600_000}"),
  ],
  durableObjectNamespaces = [
    (className = "SocketEcho", uniqueKey = "socket-echo"),
    (className = "EngineEcho", uniqueKey = "engine-echo"),
  ],
  durableObjectStorage = (inMemory = void),
);
`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

async function untilAnswering(url: string, child: ChildProcess, output: () => string): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (child.exitCode !== null) throw new Error(`workerd ended with ${child.exitCode}: ${output()}`);
    try {
      await fetch(url);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  throw new Error(`workerd does not answer: ${output()}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}
