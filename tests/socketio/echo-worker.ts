import { DurableObject } from "cloudflare:workers";

import { EngineServer } from "../../edge/src/socketio/engine/server.ts";
import type { EngineHandlers } from "../../edge/src/socketio/engine/settings.ts";
import { type NamespaceHandlers, type Settings, SocketServer } from "../../edge/src/socketio/server.ts";
import { engineSettings } from "../../edge/src/socketio/settings.ts";

/** Bindings of the test workers. */
export interface EchoEnv {
  SOCKET_ECHO: DurableObjectNamespace;
  ENGINE_ECHO: DurableObjectNamespace;
  /** The settings that differ from the suites'. */
  SETTINGS: Partial<Settings>;
  /** How often the alarm of a hibernating actor sweeps. */
  SWEEP_EVERY_MS: number;
}

/** What the official protocol suites ask of a server. */
const suiteSettings: Settings = {
  path: "/socket.io/",
  pingIntervalMs: 300,
  pingTimeoutMs: 200,
  connectTimeoutMs: 45_000,
  maxPayloadBytes: 1_000_000,
  hibernate: false,
  sidPrefix: "7.",
  flood: { framesPerSecond: 1_000, burst: 1_000 },
  maxConnections: 10_000,
};

export function readSettings(env: EchoEnv): Settings {
  return { ...suiteSettings, ...env.SETTINGS };
}

const echoSockets: NamespaceHandlers<unknown> = {
  connect: async ({ auth }) => ({ ok: true, data: auth }),
  async connected(socket) {
    // The suites' client reads one message per turn: it would miss this one if it came in one read with the CONNECT.
    await scheduler.wait(20);
    socket.emit("auth", socket.data);
  },
  event(socket, name, args, ack) {
    if (name === "message") socket.emit("message-back", ...args);
    if (name === "message-with-ack") ack?.(...args);
  },
};

const echoMessages: EngineHandlers<true> = {
  opened: () => true,
  woken: () => true,
  keep: () => null,
  closed: () => {},
  expired: () => undefined,
  message: (session, data) => void session.deliver([typeof data === "string" ? `4${data}` : data]),
};

type Server = Pick<SocketServer<unknown>, "fetch" | "webSocketMessage" | "webSocketClose" | "webSocketError" | "sweep">;

/** An actor that is nothing but a server; while it hibernates, its alarm does what timers would. */
abstract class Echo extends DurableObject<EchoEnv> {
  readonly settings: Settings = readSettings(this.env);
  protected abstract readonly server: Server;

  override async fetch(request: Request): Promise<Response> {
    if (this.settings.hibernate) await this.#sweepLater();
    return this.server.fetch(request);
  }

  override webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): Promise<void> {
    return this.server.webSocketMessage(ws, message);
  }

  override webSocketClose(ws: WebSocket, code: number, reason: string, wasClean: boolean): Promise<void> {
    return this.server.webSocketClose(ws, code, reason, wasClean);
  }

  override webSocketError(ws: WebSocket, error: unknown): Promise<void> {
    return this.server.webSocketError(ws, error);
  }

  override async alarm(): Promise<void> {
    const { pingIntervalMs, pingTimeoutMs } = this.settings;
    const rules = { pingAfterMs: pingIntervalMs, closeAfterMs: pingIntervalMs + pingTimeoutMs };
    if (this.server.sweep(Date.now(), rules) > 0) await this.#sweepLater();
  }

  /** Unconfirmed: otherwise every message would wait for the alarm to be stored. */
  #sweepLater(): Promise<void> {
    return this.ctx.storage.setAlarm(Date.now() + this.env.SWEEP_EVERY_MS, { allowUnconfirmed: true });
  }
}

export class SocketEcho extends Echo {
  protected readonly server = new SocketServer(this.ctx, this.settings, { "/": echoSockets, "/custom": echoSockets });
}

export class EngineEcho extends Echo {
  protected readonly server = new EngineServer(
    this.ctx,
    engineSettings({ ...this.settings, path: "/engine.io/" }),
    echoMessages,
    (error) => console.error(error),
  );
}

export default {
  fetch(request: Request, env: EchoEnv): Promise<Response> {
    const actors = new URL(request.url).pathname.startsWith("/engine.io/") ? env.ENGINE_ECHO : env.SOCKET_ECHO;
    return actors.get(actors.idFromName("echo")).fetch(request);
  },
};
