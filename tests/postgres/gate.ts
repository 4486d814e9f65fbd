import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GateAnswer } from "../../edge/src/db/port.ts";
import { buildEdge, edgeFolder } from "../../tools/stack/build.ts";
import { freePort } from "../../tools/stack/ports.ts";
import { workerdBinary } from "../../tools/stack/workerd-binary.ts";
import { compatibility } from "../../tools/stack/workerd-config.ts";
import { waitFor } from "../flows/kit/wait.ts";
import { fromJson, toJson } from "./gate-values.ts";

/** The edge's gate to PostgreSQL, as it ships, alone in a workerd. */
export interface Gate {
  query(name: string, text: string, values?: readonly unknown[]): Promise<GateAnswer>;
  stop(): Promise<void>;
}

/** Asks the gate what actors ask it, in the words of an HTTP request. */
const ASKER = `
${String(toJson)}
${String(fromJson)}
export default {
  async fetch(request, env) {
    if (request.method !== "POST") return new Response();
    const [name, text, values] = fromJson(await request.text());
    return new Response(toJson(await env.PG_GATE.get(env.PG_GATE.idFromName("pg")).query(name, text, values)));
  },
};
`;

/** @param env as the edge reads it: DATABASE_URL, DATABASE_DRIVER, … */
export async function startGate(env: Readonly<Record<string, string>>): Promise<Gate> {
  await buildEdge(() => undefined);
  const folder = mkdtempSync(join(tmpdir(), "lescopains-gate-"));
  copyFileSync(join(edgeFolder, "index.js"), join(folder, "index.js"));
  writeFileSync(join(folder, "asker.js"), ASKER);
  const port = await freePort();
  writeFileSync(join(folder, "config.capnp"), config(port, env));
  const child = spawn(workerdBinary(), ["serve", join(folder, "config.capnp")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  // A test that fails may never come to stopping it.
  process.once("exit", () => child.kill("SIGKILL"));
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await waitFor("the gate", () => {
      if (child.exitCode !== null) throw new Error(output);
      return fetch(url);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    query: async (name, text, values = []) => {
      const response = await fetch(url, { method: "POST", body: toJson([name, text, values]) });
      const body = await response.text();
      if (!response.ok) throw new Error(`${response.status} ${body} ${output}`);
      return fromJson(body) as GateAnswer;
    },
    stop,
  };
}

function config(port: number, env: Readonly<Record<string, string>>): string {
  const settings = Object.entries(env).map(
    ([name, value]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(value)})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "edge", worker = (
      modules = [(name = "index.js", esModule = embed "index.js")],
      ${compatibility()},
      bindings = [${settings.join(", ")}],
      durableObjectNamespaces = [(className = "PgGate", uniqueKey = "pg-gate", enableSql = true)],
      durableObjectStorage = (inMemory = void),
      globalOutbound = "network",
    )),
    (name = "asker", worker = (
      modules = [(name = "asker.js", esModule = embed "asker.js")],
      ${compatibility()},
      bindings = [(name = "PG_GATE", durableObjectNamespace = (className = "PgGate", serviceName = "edge"))],
    )),
    (name = "network", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "asker")],
);
`;
}
