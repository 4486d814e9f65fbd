import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request as httpsRequest } from "node:https";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import type { LookupFunction } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findCaddy } from "../../../tools/find-caddy.ts";
import { freePort } from "../../../tools/stack/ports.ts";
import { rootFolder } from "../../../tools/stack/root.ts";
import { waitFor } from "../../flows/kit/wait.ts";

export const caddyfile: string = join(rootFolder, "Caddyfile");
/** Browsers take every name under localhost for this machine, and Caddy makes its certificate itself. */
const defaultDomain = "chat.localhost";

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** An address of this machine to come from. */
  readonly from?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Caddy with the repository's Caddyfile, on free ports, before services of a test. */
export interface Front {
  /** `https://chat.localhost:<port>`: what browsers call it. */
  readonly url: string;
  readonly domain: string;
  readonly httpsPort: number;
  readonly httpPort: number;
  readonly pid: number;
  /** Caddy's own authority, PEM. */
  readonly ca: string;
  /** Finds the domain on this machine and trusts its authority. */
  readonly agent: Agent;
  readonly lookup: LookupFunction;
  /** `[2, 6]` */
  readonly version: readonly [major: number, minor: number];
  /** HTTP/1.1 over TLS; the path is sent as it stands. */
  ask(path: string, ask?: Ask): Promise<Answer>;
  /** As somebody who comes without TLS. */
  askPlain(path: string, ask?: Ask): Promise<Answer>;
  /** Past Caddy: a service of this machine. */
  askEdge(port: number, path: string, ask?: Ask): Promise<Answer>;
  /** `caddy reload`; resolves when the new configuration is in force. */
  reload(): Promise<void>;
  /** What Caddy has logged so far. */
  log(): string;
  stop(): Promise<void>;
}

export interface FrontOptions {
  /** `localhost` is found by programs too, whatever their resolver knows. */
  readonly domain?: "localhost";
  /** `host:port` of the services. */
  readonly edge: string;
  readonly sfu?: string;
  readonly sfu2?: string;
  /** Caddy tells all it does, requests above all, as operators have it do who look for something. */
  readonly debug?: true;
}

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a command of Caddy's to its end. */
export async function runCaddy(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const child = spawn(await findCaddy(), [...args], { env: { ...process.env, ...env }, stdio: "pipe" });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}

async function caddyVersion(): Promise<readonly [number, number]> {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec((await runCaddy(["version"])).output) ?? [];
  return [Number(major), Number(minor)];
}

/** What this Caddy needs set besides: before 2.7 there is no keeping of sockets over a reload. */
export async function versionEnvironment(): Promise<Record<string, string>> {
  const [major, minor] = await caddyVersion();
  return major > 2 || minor >= 7 ? {} : { KEEP_SOCKETS: "" };
}

/** Starts Caddy; resolves when it answers. */
export async function startFront(to: FrontOptions): Promise<Front> {
  const { domain = defaultDomain, edge, sfu = edge, sfu2 = edge } = to;
  const folder = mkdtempSync(join(tmpdir(), "lescopains-front-"));
  const [httpPort, httpsPort] = [await freePort(), await freePort()];
  const admin = `unix/${join(folder, "admin.sock")}`;
  const env: Record<string, string> = {
    ...(await versionEnvironment()),
    XDG_DATA_HOME: folder,
    XDG_CONFIG_HOME: folder,
    HOME: folder,
    DOMAIN: domain,
    EDGE: edge,
    SFU: sfu,
    SFU2: sfu2,
    HTTP_PORT: String(httpPort),
    HTTPS_PORT: String(httpsPort),
    CADDY_ADMIN: admin,
  };
  let config = caddyfile;
  if (to.debug === true) {
    config = join(folder, "Caddyfile");
    writeFileSync(config, readFileSync(caddyfile, "utf8").replace(/^\{$/m, "{\n\tdebug"));
  }
  const child = spawn(await findCaddy(), ["run", "--config", config, "--adapter", "caddyfile"], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString("utf8")));
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await closed;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const ca = await waitFor("Caddy's authority", () => {
      assertRuns(child, log);
      return readFileSync(join(folder, "caddy", "pki", "authorities", "local", "root.crt"), "utf8");
    });
    const agent = new Agent({ ca, servername: domain, keepAlive: true, lookup: here });
    const ask = (path: string, options: Ask = {}): Promise<Answer> =>
      send(path, options, { host: domain, port: httpsPort, agent, secure: true });
    await waitFor("Caddy", async () => {
      assertRuns(child, log);
      return (await ask("/")).status > 0;
    });
    return {
      url: `https://${domain}:${httpsPort}`,
      domain,
      httpsPort,
      httpPort,
      pid: child.pid ?? 0,
      ca,
      agent,
      lookup: here,
      version: await caddyVersion(),
      ask,
      askPlain: (path, options = {}) => send(path, options, { host: domain, port: httpPort, secure: false }),
      askEdge: (port, path, options = {}) => send(path, options, { host: "127.0.0.1", port, secure: false }),
      reload: async () => {
        const args = ["reload", "--config", config, "--adapter", "caddyfile", "--address", admin, "--force"];
        const { code, output } = await runCaddy(args, env);
        if (code !== 0) throw new Error(output);
      },
      log: () => log,
      stop: async () => {
        agent.destroy();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function assertRuns(child: ChildProcess, log: string): void {
  if (child.exitCode !== null) throw new Error(`Caddy ended: ${log}`);
}

/** The domain is this machine, whatever the resolver knows. */
const here: LookupFunction = (_name, { all }, found) => {
  if (all === true) found(null, [{ address: "127.0.0.1", family: 4 }]);
  else found(null, "127.0.0.1", 4);
};

interface To {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly agent?: Agent;
}

function send(path: string, { method = "GET", headers = {}, body, from }: Ask, to: To): Promise<Answer> {
  const { host, port, agent, secure } = to;
  return new Promise((resolve, reject) => {
    const options = {
      host,
      port,
      path,
      method,
      headers: { host: `${host}:${port}`, ...headers },
      lookup: here,
      ...(agent === undefined ? {} : { agent }),
      ...(from === undefined ? {} : { localAddress: from }),
    };
    const request = (secure ? httpsRequest : httpRequest)(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.once("error", reject);
    request.end(body);
  });
}
