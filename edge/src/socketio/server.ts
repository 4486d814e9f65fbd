import { Client, type ClientHost } from "./client.ts";
import { EngineServer } from "./engine/server.ts";
import type { Session } from "./engine/session.ts";
import type { EngineHandlers, Frame, SweepRules } from "./engine/settings.ts";
import type { NamespaceHandlers, Socket } from "./handlers.ts";
import { NamespaceSocket } from "./namespace-socket.ts";
import { encodeEvent } from "./packets.ts";
import { Rooms } from "./rooms.ts";
import { engineSettings, type Settings } from "./settings.ts";

export { AttachmentTooLarge } from "./engine/attachment.ts";
export type { SweepRules } from "./engine/settings.ts";
export type { ConnectAnswer, ConnectRequest, NamespaceHandlers, Socket } from "./handlers.ts";
export type { Settings } from "./settings.ts";

/**
 * Socket.IO v5 over Engine.IO v4 for one Durable-Object-style actor in workerd. The rules are in `docs/spec/socketio.md`.
 *
 * The actor makes one in its constructor and forwards `fetch`, the runtime's three WebSocket calls, and its alarm
 * (as `sweep`). `D` is the application's data for each socket: plain JSON, kept through hibernation.
 */
export class SocketServer<D> {
  readonly #host: Host<D>;
  readonly #engine: EngineServer<Client<D>>;

  /** @param onError - is told of the application's exceptions; without it they are logged to the console. */
  constructor(
    ctx: DurableObjectState,
    settings: Settings,
    namespaces: Record<string, NamespaceHandlers<D>>,
    onError: (error: unknown) => void = (error) => console.error(error),
  ) {
    this.#host = new Host(ctx, settings, new Map(Object.entries(namespaces)), onError);
    this.#engine = new EngineServer(ctx, engineSettings(settings), this.#host, onError);
  }

  /** Polling requests and WebSocket upgrades; never throws. */
  fetch(request: Request): Promise<Response> {
    return this.#engine.fetch(request);
  }

  webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): Promise<void> {
    return this.#engine.webSocketMessage(ws, message);
  }

  webSocketClose(ws: WebSocket, code: number, reason: string, _wasClean: boolean): Promise<void> {
    return this.#engine.webSocketClose(ws, code, reason);
  }

  webSocketError(ws: WebSocket, _error: unknown): Promise<void> {
    return this.#engine.webSocketError(ws);
  }

  /** All connected sockets of all namespaces, also right after waking from hibernation. */
  sockets(): Iterable<Socket<D>> {
    this.#engine.sessions();
    return this.#host.sockets;
  }

  /** The connected sockets that have joined `room`, of whatever namespace. */
  in(room: string): Iterable<Socket<D>> {
    this.#engine.sessions();
    return this.#host.rooms.in(room);
  }

  /**
   * Sends one event to many sockets; it is encoded once. Answers how many took it. A socket that fails is closed and
   * disturbs no other.
   */
  broadcast(sockets: Iterable<Socket<D>>, event: string, ...args: unknown[]): number {
    let namespace: string | undefined;
    let frames: readonly Frame[] = [];
    let count = 0;
    for (const socket of sockets) {
      if (!(socket instanceof NamespaceSocket) || socket.isGone) continue;
      if (socket.namespace !== namespace) {
        namespace = socket.namespace;
        frames = encodeEvent(namespace, event, args);
      }
      if (socket.client.session.deliver(frames)) count++;
    }
    return count;
  }

  /**
   * To be called by the actor's alarm: pings and closes silent connections, and ends half-done ones. Answers how many
   * connections remain, so that the alarm of an empty actor need not be set again.
   */
  sweep(nowMs: number, rules: SweepRules): number {
    return this.#engine.sweep(nowMs, rules);
  }
}

/** What the clients share, and the application's end of the Engine.IO server. */
class Host<D> implements ClientHost<D>, EngineHandlers<Client<D>> {
  readonly settings: Settings;
  readonly namespaces: ReadonlyMap<string, NamespaceHandlers<D>>;
  readonly sockets = new Set<NamespaceSocket<D>>();
  readonly rooms = new Rooms<NamespaceSocket<D>>();
  readonly report: (error: unknown) => void;
  readonly #ctx: DurableObjectState;

  constructor(
    ctx: DurableObjectState,
    settings: Settings,
    namespaces: ReadonlyMap<string, NamespaceHandlers<D>>,
    report: (error: unknown) => void,
  ) {
    this.#ctx = ctx;
    this.settings = settings;
    this.namespaces = namespaces;
    this.report = report;
  }

  later(work: () => void | Promise<void>): void {
    this.#ctx.waitUntil(Promise.resolve().then(work).catch(this.report));
  }

  opened(session: Session<Client<D>>): Client<D> {
    return new Client(this, session);
  }

  woken(session: Session<Client<D>>, kept: unknown): Client<D> | undefined {
    const client = new Client(this, session);
    return client.restore(kept) ? client : undefined;
  }

  keep(client: Client<D>): unknown {
    return client.keep();
  }

  message(session: Session<Client<D>>, data: string | ArrayBuffer): void | Promise<void> {
    return session.state.receive(data);
  }

  closed(session: Session<Client<D>>, reason: string): void {
    session.state.closed(reason);
  }

  expired(session: Session<Client<D>>, nowMs: number): string | undefined {
    return session.state.expired(nowMs);
  }
}
