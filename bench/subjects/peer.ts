import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Client } from "pg";
import { migrate } from "../../tools/stack/migrate.ts";
import { rootFolder } from "../../tools/stack/root.ts";
import { fillWorld, type Plan } from "../world.ts";
import { type Subject, untilHealthy } from "./subject.ts";

export interface PeerOptions {
  /** A database of the instance that the peer shall share; it gets one of its own there. */
  readonly databaseUrl: string;
  readonly jwtSecret: string;
  readonly plan: Plan;
  readonly order: "emit-first" | "ack-first";
  /** Compiled code is kept there, as any team that cares for its cold starts would. */
  readonly cacheFolder: string;
}

async function ownDatabase(databaseUrl: string, name: string): Promise<string> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`).finally(() => client.end());
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  await migrate({ connectionString: url.href, directory: join(rootFolder, "migrations") });
  return url.href;
}

/** Plain Node + socket.io + pg (peer/server.ts) in a process of its own. Not running before its first `restart`. */
export async function peerSubject({
  databaseUrl,
  jwtSecret,
  plan,
  order,
  cacheFolder,
}: PeerOptions): Promise<Subject & { stop(): Promise<void> }> {
  const ownUrl = await ownDatabase(databaseUrl, `peer_${order.replace("-", "_")}`);
  const world = await fillWorld(ownUrl, jwtSecret, plan);
  let child: ChildProcess | undefined;
  let port = 0;
  const stop = async (): Promise<void> => {
    const ended = child;
    child = undefined;
    if (ended === undefined || ended.exitCode !== null || ended.signalCode !== null) return;
    ended.kill("SIGKILL");
    await once(ended, "exit");
  };
  return {
    name: order === "emit-first" ? "node" : "node, ack first",
    world,
    url: () => `http://127.0.0.1:${port}`,
    pid: () => {
      if (child?.pid === undefined) throw new Error("the peer does not run");
      return child.pid;
    },
    restart: async () => {
      await stop();
      const startedMs = performance.now();
      child = fork(new URL("../peer/server.ts", import.meta.url), {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
        env: {
          PATH: process.env["PATH"],
          NODE_ENV: "production",
          NODE_COMPILE_CACHE: cacheFolder,
          DATABASE_URL: ownUrl,
          JWT_SECRET: jwtSecret,
          PEER_ORDER: order,
        },
      });
      const [listening] = (await Promise.race([
        once(child, "message"),
        once(child, "exit").then(() => Promise.reject(new Error("the peer ended at its start"))),
      ])) as [{ port: number }];
      port = listening.port;
      await untilHealthy(`http://127.0.0.1:${port}`);
      return { healthyMs: performance.now() - startedMs };
    },
    stop,
  };
}
