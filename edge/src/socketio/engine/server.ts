import { decodeAttachment } from "./attachment.ts";
import { type Ask, keepHandshake, openingData, randomId, readAsk, refuse } from "./handshake.ts";
import { pollResponse, readBody } from "./polling.ts";
import { closeCode, closeQuietly, Session, type SessionHost } from "./session.ts";
import type { EngineHandlers, EngineSettings, SweepRules } from "./settings.ts";
import { Upgrades } from "./upgrades.ts";

/**
 * Engine.IO v4 for one Durable-Object-style actor, hibernating or not. The actor forwards `fetch` and, when
 * hibernating, the runtime's three WebSocket calls and its alarm (as `sweep`).
 */
export class EngineServer<S> implements SessionHost<S> {
  readonly settings: EngineSettings;
  readonly handlers: EngineHandlers<S>;
  readonly #ctx: DurableObjectState;
  readonly #onError: (error: unknown) => void;
  readonly #sessions = new Map<string, Session<S>>();
  readonly #sockets = new Map<WebSocket, Session<S>>();
  readonly #upgrades: Upgrades<S>;
  /** Polling sessions that have not been heard of since their handshake, oldest first: the first to go when full. */
  readonly #untouched = new Set<Session<S>>();
  /** Closed polling sessions whose last frames wait to be fetched, and since when. */
  readonly #lingering = new Map<string, { session: Session<S>; sinceMs: number }>();
  #isAwake = false;

  constructor(
    ctx: DurableObjectState,
    settings: EngineSettings,
    handlers: EngineHandlers<S>,
    onError: (error: unknown) => void,
  ) {
    this.#ctx = ctx;
    this.settings = settings;
    this.handlers = handlers;
    this.#onError = onError;
    this.#upgrades = new Upgrades(settings);
    const { autoAnswer, hibernate } = settings;
    if (hibernate && autoAnswer !== undefined) {
      const pair = new WebSocketRequestResponsePair(`4${autoAnswer.request}`, `4${autoAnswer.answer}`);
      ctx.setWebSocketAutoResponse(pair);
    }
  }

  /** All open sessions, found again if the actor hibernated. */
  sessions(): Iterable<Session<S>> {
    this.#wakeAll();
    return this.#sessions.values();
  }

  /** Answers any request under the settings' path; never throws. */
  async fetch(request: Request): Promise<Response> {
    try {
      const url = new URL(request.url);
      if (url.pathname !== this.settings.path) return new Response("Not found", { status: 404 });
      const ask = readAsk(request, url);
      if (typeof ask === "string") return refuse(ask);
      return await (ask.sid === undefined ? this.#open(ask, request, url) : this.#resume(ask, ask.sid, request));
    } catch (error) {
      this.#onError(error);
      return refuse("badRequest");
    }
  }

  async webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): Promise<void> {
    try {
      if (!this.#upgrades.has(ws)) return await this.#sessionOf(ws)?.receiveFrame(message, Date.now());
      const session = this.#upgrades.advance(ws, message, Date.now());
      if (session !== undefined) this.#sockets.set(ws, session);
    } catch (error) {
      this.#onError(error);
    }
  }

  async webSocketClose(ws: WebSocket, code: number, reason: string): Promise<void> {
    this.#gone(ws, "transport close");
    // Codes such as 1005 and 1006 cannot be sent; the answer then carries none.
    closeQuietly(ws, code >= 1000 && code !== 1005 && code !== 1006 && code !== 1015 ? code : 1000, reason);
  }

  async webSocketError(ws: WebSocket): Promise<void> {
    this.#gone(ws, "transport error");
    closeQuietly(ws, 1011, "transport error");
  }

  /** See {@link SweepRules}; also ends half-done upgrades and forgets unfetched last words. Answers how many remain. */
  sweep(nowMs: number, rules: SweepRules): number {
    this.#wakeAll();
    for (const session of this.#sessions.values()) session.sweep(nowMs, rules);
    this.#upgrades.sweep(nowMs);
    for (const [sid, { sinceMs }] of this.#lingering) {
      if (nowMs - sinceMs > this.settings.halfDoneTimeoutMs) this.#lingering.delete(sid);
    }
    return this.#sessions.size + this.#lingering.size;
  }

  // ——— SessionHost ———

  autoAnsweredMs(ws: WebSocket): number {
    if (!this.settings.hibernate || this.settings.autoAnswer === undefined) return 0;
    return this.#ctx.getWebSocketAutoResponseTimestamp(ws)?.getTime() ?? 0;
  }

  track(work: Promise<void>): void {
    this.#ctx.waitUntil(work.catch((error: unknown) => this.#onError(error)));
  }

  forget(session: Session<S>, ws: WebSocket | undefined, lingers: boolean): void {
    this.#sessions.delete(session.sid);
    this.#untouched.delete(session);
    if (ws !== undefined) {
      this.#sockets.delete(ws);
      // The runtime may still list the socket after a wake: without an attachment it is not taken for a session.
      if (this.settings.hibernate) ws.serializeAttachment(null);
    }
    if (!lingers) return;
    this.#lingering.set(session.sid, { session, sinceMs: Date.now() });
    if (!this.settings.hibernate) {
      setTimeout(() => this.#lingering.delete(session.sid), this.settings.halfDoneTimeoutMs);
    }
  }

  // ——— requests ———

  #open(ask: Ask, request: Request, url: URL): Response {
    const handshake = keepHandshake(request, url);
    if (handshake === undefined) return refuse("headersTooLarge");
    if (!this.#hasRoom()) return refuse("full");
    const sid = this.settings.sidPrefix + randomId();
    const nowMs = Date.now();
    const opening = `0${openingData(sid, ask.transport, this.settings)}`;
    if (ask.transport === "polling") {
      const session = Session.opened(this, sid, handshake, undefined, nowMs);
      this.#sessions.set(sid, session);
      this.#untouched.add(session);
      if (!this.settings.hibernate) session.startTimers();
      return pollResponse(opening);
    }
    const { 0: client, 1: server } = new WebSocketPair();
    const session = Session.opened(this, sid, handshake, server, nowMs);
    this.#accept(server);
    this.#sessions.set(sid, session);
    this.#sockets.set(server, session);
    session.persist();
    session.deliver([opening]);
    if (!this.settings.hibernate) session.startTimers();
    return new Response(null, { status: 101, webSocket: client });
  }

  #resume(ask: Ask, sid: string, request: Request): Response | Promise<Response> {
    const session = this.#sessions.get(sid);
    if (ask.transport === "websocket") return this.#beginUpgrade(session);
    if (session === undefined) return this.#lastWords(sid, request);
    const nowMs = Date.now();
    const { pingIntervalMs, pingTimeoutMs } = this.settings;
    if (session.polling === undefined) return refuse("badRequest");
    if (nowMs - session.lastSeenMs() >= pingIntervalMs + pingTimeoutMs) {
      session.close("ping timeout", closeCode.policy);
      return refuse("unknownSid");
    }
    this.#untouched.delete(session);
    return request.method === "GET" ? this.#poll(session, nowMs) : this.#post(session, request);
  }

  async #poll(session: Session<S>, nowMs: number): Promise<Response> {
    if (!session.admits(1, nowMs)) return refuse("flood");
    const { polling } = session;
    if (polling === undefined) return refuse("badRequest");
    if (polling.isHeld) {
      session.close("transport error", closeCode.policy);
      return refuse("badRequest");
    }
    const body = polling.poll();
    // An upgrade under way wants the poll out of its way.
    if (this.#upgrades.includes(session)) polling.flush("6");
    return pollResponse(await body);
  }

  async #post(session: Session<S>, request: Request): Promise<Response> {
    const { polling } = session;
    const isBinary = request.headers.get("content-type") === "application/octet-stream";
    if (polling === undefined || polling.posting || isBinary) {
      session.close("transport error", closeCode.policy);
      return refuse("badRequest");
    }
    polling.posting = true;
    let body: string | undefined;
    try {
      body = await readBody(request, this.settings.maxPayloadBytes);
    } catch {
      session.close("transport error", closeCode.policy);
      return refuse("badRequest");
    } finally {
      polling.posting = false;
    }
    if (body === undefined) return refuse("tooLarge");
    if (session.isClosed || !session.receivePayload(body, Date.now())) return refuse("badRequest");
    return new Response("ok", { headers: { "content-type": "text/html", "cache-control": "no-store" } });
  }

  /** What a closed session still had to say, and then, in a response of its own, the close: clients expect no more. */
  async #lastWords(sid: string, request: Request): Promise<Response> {
    const polling = this.#lingering.get(sid)?.session.polling;
    if (polling === undefined || request.method !== "GET") return refuse("unknownSid");
    if (!polling.isEmpty) return pollResponse(await polling.poll());
    this.#lingering.delete(sid);
    return pollResponse("1");
  }

  // ——— upgrade ———

  #beginUpgrade(session: Session<S> | undefined): Response {
    if (session === undefined) return refuse("unknownSid");
    const { 0: client, 1: server } = new WebSocketPair();
    const response = new Response(null, { status: 101, webSocket: client });
    if (session.transport === "websocket" || this.#upgrades.includes(session)) {
      // Accepted as the reference server does, but not as hibernatable: workerd (2026-10) keeps the TCP connection of
      // a hibernatable socket that it closes before it was ever heard open for ten seconds.
      server.accept();
      closeQuietly(server, closeCode.policy, "already upgraded");
      return response;
    }
    this.#accept(server);
    this.#untouched.delete(session);
    this.#upgrades.begin(session, server, Date.now());
    return response;
  }

  // ——— sockets ———

  #accept(ws: WebSocket): void {
    if (this.settings.hibernate) return this.#ctx.acceptWebSocket(ws);
    ws.accept();
    ws.binaryType = "arraybuffer";
    ws.addEventListener("message", (event) => {
      this.track(this.webSocketMessage(ws, event.data as string | ArrayBuffer));
    });
    ws.addEventListener("close", (event) => {
      this.track(this.webSocketClose(ws, event.code, event.reason));
    });
    ws.addEventListener("error", () => {
      this.track(this.webSocketError(ws));
    });
  }

  #gone(ws: WebSocket, reason: string): void {
    try {
      if (this.#upgrades.has(ws)) this.#upgrades.forget(ws);
      else this.#sessionOf(ws)?.close(reason);
    } catch (error) {
      this.#onError(error);
    }
  }

  /** Who a socket belongs to; after hibernation that is read from its attachment, once. */
  #sessionOf(ws: WebSocket): Session<S> | undefined {
    const known = this.#sockets.get(ws);
    if (known !== undefined || !this.settings.hibernate) return known;
    const kept = decodeAttachment(ws.deserializeAttachment());
    if (kept === undefined) return undefined;
    if ("candidateFor" in kept) {
      // Polling sessions live in memory only: the one this socket wanted is gone.
      return this.#upgrades.reject(ws, "unknown session");
    }
    const session = Session.woken(this, kept, ws, Date.now());
    if (session.isClosed) return undefined;
    this.#sessions.set(session.sid, session);
    this.#sockets.set(ws, session);
    return session;
  }

  #wakeAll(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    if (this.settings.hibernate) for (const ws of this.#ctx.getWebSockets()) this.#sessionOf(ws);
  }

  /** When full, the oldest polling session nobody has used since its handshake makes room. */
  #hasRoom(): boolean {
    this.#wakeAll();
    if (this.#sessions.size < this.settings.maxConnections) return true;
    const [oldest] = this.#untouched;
    oldest?.close("made room", closeCode.policy);
    return oldest !== undefined;
  }
}
