import { DurableObject } from "cloudflare:workers";

import {
  AttachmentTooLarge,
  type NamespaceHandlers,
  type Socket,
  SocketServer,
} from "../../edge/src/socketio/server.ts";
import { type EchoEnv, readSettings } from "./echo-worker.ts";
import type { ProbeState } from "./probe-state.ts";

/** What clients of the probe may write into `auth` to steer its connect handler. */
interface ProbeAuth {
  refuse?: string;
  crash?: boolean;
  /** The handler disconnects the socket that it then accepts. */
  leave?: boolean;
  /** Size of the data the socket is given. */
  dataBytes?: number;
  name?: string;
}

type ProbeData = { name: string; filler?: string };

/** Lets the tests reach every part of the API, by events and by requests to `/control/…`. */
export class SocketEcho extends DurableObject<EchoEnv> {
  readonly #birth = crypto.randomUUID();
  readonly #bornMs = Date.now();
  #messages = 0;
  readonly #errors: string[] = [];
  readonly #disconnects: ProbeState["disconnects"] = [];
  #release: (() => void) | undefined;
  readonly #server = new SocketServer<ProbeData>(
    this.ctx,
    readSettings(this.env),
    { "/": this.#handlers(), "/other": this.#handlers() },
    (error) => this.#errors.push(String(error)),
  );

  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    switch (url.pathname) {
      case "/control/state":
        return Response.json(this.#state());
      case "/control/sweep": {
        const nowMs = Date.now() + Number(url.searchParams.get("laterMs"));
        const rules = {
          pingAfterMs: Number(url.searchParams.get("pingAfterMs")),
          closeAfterMs: Number(url.searchParams.get("closeAfterMs")),
        };
        return Response.json(this.#server.sweep(nowMs, rules));
      }
      case "/control/broadcast": {
        const room = url.searchParams.get("room");
        const sockets = room === null ? this.#server.sockets() : this.#server.in(room);
        return Response.json(this.#server.broadcast(sockets, "news", await request.json()));
      }
      default:
        return this.#server.fetch(request);
    }
  }

  override webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): Promise<void> {
    this.#messages++;
    return this.#server.webSocketMessage(ws, message);
  }

  override webSocketClose(ws: WebSocket, code: number, reason: string, wasClean: boolean): Promise<void> {
    return this.#server.webSocketClose(ws, code, reason, wasClean);
  }

  override webSocketError(ws: WebSocket, error: unknown): Promise<void> {
    return this.#server.webSocketError(ws, error);
  }

  #state(): ProbeState {
    const sockets = Array.from(this.#server.sockets(), (socket) => ({
      id: socket.id,
      namespace: socket.namespace,
      name: socket.data.name,
      rooms: [...socket.rooms],
      transport: socket.transport,
      lastSeenMs: socket.lastSeenMs(),
    }));
    return {
      birth: this.#birth,
      bornMs: this.#bornMs,
      messages: this.#messages,
      sockets,
      errors: this.#errors,
      disconnects: this.#disconnects,
    };
  }

  #handlers(): NamespaceHandlers<ProbeData> {
    return {
      connect: async ({ auth, headers, url }, socket) => {
        const { refuse, crash, leave, dataBytes, name } = auth as ProbeAuth;
        if (leave === true) socket.disconnect();
        if (crash === true) throw new Error("the connect handler crashed");
        if (refuse !== undefined) return { ok: false, message: refuse, data: { code: "refused" } };
        const data: ProbeData = { name: name ?? headers.get("x-name") ?? url.searchParams.get("name") ?? "nobody" };
        if (dataBytes !== undefined) data.filler = "x".repeat(dataBytes);
        return { ok: true, data };
      },
      event: (socket, name, args, ack) => this.#event(socket, name, args, ack),
      disconnected: (socket, reason) => {
        this.#disconnects.push({ name: socket.data.name, reason });
      },
    };
  }

  async #event(
    socket: Socket<ProbeData>,
    name: string,
    args: unknown[],
    ack: ((...args: unknown[]) => void) | undefined,
  ): Promise<void> {
    switch (name) {
      case "echo":
        return ack === undefined ? socket.emit("echoed", ...args) : ack(...args);
      case "ack twice":
        ack?.(1);
        return ack?.(2);
      case "join":
        socket.join(...(args as string[]));
        return ack?.([...socket.rooms]);
      case "leave":
        socket.leave(...(args as string[]));
        return ack?.([...socket.rooms]);
      case "tell room":
        return ack?.(this.#server.broadcast(this.#server.in(String(args[0])), "told", ...args.slice(1)));
      case "tell all":
        return ack?.(this.#server.broadcast(this.#server.sockets(), "told", ...args));
      case "fill data":
        return ack?.(attempt(() => socket.setData({ ...socket.data, filler: "x".repeat(Number(args[0])) })));
      case "fill rooms":
        return ack?.(attempt(() => socket.join(...Array.from({ length: Number(args[0]) }, (_, n) => `room ${n}`))));
      case "data":
        return ack?.({ ...socket.data, birth: this.#birth, rooms: [...socket.rooms], id: socket.id });
      case "ask me":
        return ack?.(await socket.emitWithAck(2_000, "question", ...args));
      case "ask me in vain":
        return ack?.(await socket.emitWithAck(50, "question").catch((error: Error) => error.message));
      case "wait for release":
        await new Promise<void>((resolve) => (this.#release = resolve));
        return ack?.("released");
      case "release":
        return this.#release?.();
      case "emit reserved":
        return ack?.(attempt(() => socket.emit("disconnect")));
      case "crash":
        throw new Error("the event handler crashed");
      case "disconnect me":
        return socket.disconnect(args[0] as { close?: boolean; code?: number; reason?: string });
      default:
    }
  }
}

/** The name of the error that `work` throws, or "ok". */
function attempt(work: () => void): string {
  try {
    work();
    return "ok";
  } catch (error) {
    if (error instanceof AttachmentTooLarge) return `${error.name} ${error.bytes > 16_000}`;
    return String(error);
  }
}

export { EngineEcho } from "./echo-worker.ts";

export default {
  fetch(request: Request, env: EchoEnv): Promise<Response> {
    return env.SOCKET_ECHO.get(env.SOCKET_ECHO.idFromName("probe")).fetch(request);
  },
};
