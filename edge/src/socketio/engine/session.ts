import { decodePacket, decodePayload, type Packet } from "engine.io-parser";

import { decodeAttachment, encodeSession, type Handshake, type KeptSession } from "./attachment.ts";
import { Polling, separator } from "./polling.ts";
import { SessionTimers } from "./session-timers.ts";
import type { EngineHandlers, EngineSettings, Frame, SweepRules } from "./settings.ts";
import { TokenBucket } from "./token-bucket.ts";

/** What a session needs of the server that holds it. */
export interface SessionHost<S> {
  readonly settings: EngineSettings;
  readonly handlers: EngineHandlers<S>;
  /** Last time the runtime answered this socket by itself; 0 when never. */
  autoAnsweredMs(ws: WebSocket): number;
  /** Keeps the actor awake for the promise and reports its failure. */
  track(work: Promise<void>): void;
  /** The session is closed; a polling one may linger until its last frames are fetched. */
  forget(session: Session<S>, ws: WebSocket | undefined, lingers: boolean): void;
}

/** Close codes of RFC 6455 (7.4.1) that the protocol layer itself uses. */
export const closeCode = { normal: 1000, protocolError: 1002, policy: 1008, tooBig: 1009, restart: 1012 } as const;

/** One Engine.IO session, on either transport. Small: thousands of them idle in one actor. */
export class Session<S> {
  readonly sid: string;
  readonly openedMs: number;
  readonly #host: SessionHost<S>;
  #state: S | undefined;
  #ws: WebSocket | undefined;
  #polling: Polling | undefined;
  /** Absent where the WebSocket's attachment holds it. */
  #handshake: Handshake | undefined;
  #bucket: TokenBucket | undefined;
  #lastSeenMs: number;
  /** Set between a wake and the first frame: the last sign of life is then only known to be no older. */
  #wokenMs = 0;
  #pingedMs = 0;
  #timers: SessionTimers | undefined;
  #isClosed = false;
  #hasFailed = false;

  private constructor(host: SessionHost<S>, sid: string, openedMs: number, ws: WebSocket | undefined) {
    this.#host = host;
    this.sid = sid;
    this.openedMs = openedMs;
    this.#lastSeenMs = openedMs;
    this.#ws = ws;
  }

  /** A new session; `ws` is absent for polling. */
  static opened<S>(
    host: SessionHost<S>,
    sid: string,
    handshake: Handshake,
    ws: WebSocket | undefined,
    nowMs: number,
  ): Session<S> {
    const session = new Session(host, sid, nowMs, ws);
    session.#handshake = handshake;
    if (ws === undefined) session.#polling = new Polling(maxQueuedBytes(host.settings));
    session.#state = host.handlers.opened(session);
    return session;
  }

  /** The session a hibernated WebSocket carries. */
  static woken<S>(host: SessionHost<S>, kept: KeptSession, ws: WebSocket, nowMs: number): Session<S> {
    const session = new Session(host, kept.sid, kept.openedMs, ws);
    session.#lastSeenMs = kept.seenMs;
    session.#pingedMs = kept.pingedMs;
    // An unanswered ping is written to the attachment and its answer too: silence is then known exactly.
    if (kept.pingedMs === 0) session.#wokenMs = nowMs;
    session.#state = host.handlers.woken(session, kept.app);
    if (session.#state === undefined) session.close("service restart", closeCode.restart);
    return session;
  }

  /** The state of what stands on top. */
  get state(): S {
    if (this.#state === undefined) throw new Error("a session's state was asked for before it was made");
    return this.#state;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get transport(): "websocket" | "polling" {
    return this.#ws === undefined ? "polling" : "websocket";
  }

  get polling(): Polling | undefined {
    return this.#polling;
  }

  /** The request that opened the session. */
  handshake(): Handshake {
    if (this.#handshake !== undefined) return this.#handshake;
    const kept = decodeAttachment(this.#ws?.deserializeAttachment());
    if (kept === undefined || !("handshake" in kept)) throw new Error("a session lost its attachment");
    return kept.handshake;
  }

  /** Last sign of life; after a wake without one: the runtime's last automatic answer, else the time of the wake. */
  lastSeenMs(): number {
    const autoMs = this.#autoAnsweredMs();
    return Math.max(this.#lastSeenMs, autoMs === 0 ? this.#wokenMs : autoMs);
  }

  /** Ends the session because what it sent makes no sense one layer up. */
  rejectMessage(reason: string): void {
    this.#fail(reason, closeCode.protocolError);
  }

  /** Sends frames in order. False when the session is or becomes closed; never throws. */
  deliver(frames: readonly Frame[]): boolean {
    if (this.#isClosed) return false;
    try {
      if (this.#ws !== undefined) for (const frame of frames) this.#ws.send(frame);
      else if (!this.#enqueue(frames)) this.close("too much unread", closeCode.policy);
    } catch {
      this.close("transport error", closeCode.policy);
    }
    return !this.#isClosed;
  }

  /** Writes what must survive hibernation. @throws {AttachmentTooLarge} */
  persist(): void {
    const text = encodeSession({
      sid: this.sid,
      openedMs: this.openedMs,
      seenMs: this.#lastSeenMs,
      pingedMs: this.#pingedMs,
      handshake: this.handshake(),
      app: this.#host.handlers.keep(this.state),
    });
    if (this.#ws === undefined || !this.#host.settings.hibernate) return;
    this.#ws.serializeAttachment(text);
    this.#handshake = undefined;
  }

  /** A frame of the WebSocket. */
  receiveFrame(frame: string | ArrayBuffer, nowMs: number): void | Promise<void> {
    if (this.#isClosed) return;
    if (exceeds(frame, this.#host.settings.maxPayloadBytes)) return this.#fail("message too big", closeCode.tooBig);
    if (!this.admits(this.#weight(frame), nowMs)) return;
    this.#seen(nowMs);
    return this.#receive(decodePacket(frame, "arraybuffer"));
  }

  /** The body of a polling POST; false when it ended the session by a fault of the client. */
  receivePayload(body: string, nowMs: number): boolean {
    const { burst } = this.#host.settings.flood;
    if (!this.admits(Math.max(body.split(separator, burst + 1).length, this.#weight(body)), nowMs)) return false;
    this.#seen(nowMs);
    for (const packet of decodePayload(body, "arraybuffer")) {
      if (this.#isClosed) break;
      if (packet.type === "close") {
        this.close("transport close", closeCode.normal, "6");
      } else {
        const work = this.#receive(packet);
        if (work !== undefined) this.#host.track(work);
      }
    }
    return !this.#hasFailed;
  }

  /** How many frames this one counts for. */
  #weight(frame: string | ArrayBuffer): number {
    const { frameBytes = Number.MAX_SAFE_INTEGER } = this.#host.settings.flood;
    return Math.ceil(Math.max(1, typeof frame === "string" ? frame.length : frame.byteLength) / frameBytes);
  }

  /** Counts frames and requests against the flood limit; false when that ended the session. */
  admits(count: number, nowMs: number): boolean {
    const { flood } = this.#host.settings;
    this.#bucket ??= new TokenBucket(flood, nowMs);
    if (this.#bucket.take(flood, count, nowMs)) return true;
    this.#fail("flood", closeCode.policy);
    return false;
  }

  /** The upgrade is done: frames now travel by `ws`, those that wait first. @throws {AttachmentTooLarge} */
  moveTo(ws: WebSocket): void {
    const polling = this.#polling;
    this.#ws = ws;
    this.#polling = undefined;
    this.persist();
    if (polling === undefined) return;
    polling.flush("6");
    this.deliver(polling.take());
  }

  /** Starts the timers of a session that does not hibernate. */
  startTimers(): void {
    this.#timers = new SessionTimers(this.#host.settings, {
      ping: (nowMs) => this.#ping(nowMs),
      pingTimedOut: () => this.close("ping timeout", closeCode.policy),
      closeIfExpired: (nowMs) => this.#closeIfExpired(nowMs),
    });
  }

  /** Something is half done: a timer looks whether it has been finished, unless the session is swept anyway. */
  expectProgress(): void {
    this.#timers?.expectProgress();
  }

  /** Pings or closes by the length of the silence. See {@link SweepRules}. */
  sweep(nowMs: number, rules: SweepRules): void {
    if (this.#closeIfExpired(nowMs)) return;
    const silentMs = nowMs - Math.max(this.#lastSeenMs, this.#autoAnsweredMs());
    if (silentMs > rules.closeAfterMs && this.#silenceIsCertain(nowMs, rules)) {
      this.close("ping timeout", closeCode.policy);
    } else if (silentMs > rules.pingAfterMs && this.#pingedMs === 0) {
      this.#ping(nowMs);
    }
  }

  /**
   * Ends the session: the WebSocket closes with `code` and `reason`; a held GET is answered with `lastPacket` (an
   * Engine.IO `close` unless said otherwise). `linger` lets a polling client fetch what waits for it first.
   */
  close(reason: string, code: number = closeCode.normal, lastPacket = "1", linger = false): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timers?.stop();
    const polling = this.#polling;
    const lingers = linger && polling !== undefined && !polling.isEmpty;
    this.#host.forget(this, this.#ws, lingers);
    polling?.flush(lingers ? undefined : lastPacket);
    if (this.#ws !== undefined) closeQuietly(this.#ws, code, reason);
    if (this.#state !== undefined) this.#host.handlers.closed(this, reason);
  }

  /** Ends the session because of what the client did. */
  #fail(reason: string, code: number): void {
    this.#hasFailed = true;
    this.close(reason, code);
  }

  /** A packet arrived: a sign of life, and the answer to a ping whatever it is. */
  #seen(nowMs: number): void {
    this.#lastSeenMs = nowMs;
    this.#wokenMs = 0;
    if (this.#pingedMs === 0) return;
    this.#pingedMs = 0;
    this.#timers?.pingLater();
    if (this.#host.settings.hibernate && this.#ws !== undefined) this.persist();
  }

  #receive(packet: Packet): void | Promise<void> {
    switch (packet.type) {
      case "message":
        return this.#message(packet.data as string | ArrayBuffer | undefined);
      case "ping":
        return this.#fail("invalid heartbeat direction", closeCode.protocolError);
      case "close":
        return this.close("transport close", closeCode.normal);
      case "error":
        return this.#fail("parse error", closeCode.protocolError);
      default:
      // `pong` has done its work as a sign of life; the reference server ignores the others.
    }
  }

  #message(data: string | ArrayBuffer | undefined): void | Promise<void> {
    const { autoAnswer } = this.#host.settings;
    if (autoAnswer !== undefined && data === autoAnswer.request) {
      this.deliver([`4${autoAnswer.answer}`]);
      return;
    }
    return this.#host.handlers.message(this, data ?? "");
  }

  #enqueue(frames: readonly Frame[]): boolean {
    const polling = this.#polling;
    return polling !== undefined && frames.every((frame) => polling.push(frame));
  }

  #autoAnsweredMs(): number {
    return this.#ws === undefined ? 0 : this.#host.autoAnsweredMs(this.#ws);
  }

  /**
   * After a wake the last sign of life may be younger than what is known, so a close needs a ping that stayed
   * unanswered for as long as the rules leave between ping and close.
   */
  #silenceIsCertain(nowMs: number, rules: SweepRules): boolean {
    if (this.#wokenMs === 0 && this.#pingedMs === 0) return true;
    return this.#pingedMs !== 0 && nowMs - this.#pingedMs >= rules.closeAfterMs - rules.pingAfterMs;
  }

  #ping(nowMs: number): void {
    this.#pingedMs = nowMs;
    if (this.deliver(["2"]) && this.#host.settings.hibernate && this.#ws !== undefined) this.persist();
  }

  #closeIfExpired(nowMs: number): boolean {
    const reason = this.#host.handlers.expired(this, nowMs);
    if (reason !== undefined) this.close(reason, closeCode.policy);
    return this.#isClosed;
  }
}

/** Whether a frame is above `maxBytes` of UTF-8 (or bytes); exact, and cheap for the small ones. */
function exceeds(frame: string | ArrayBuffer, maxBytes: number): boolean {
  if (typeof frame !== "string") return frame.byteLength > maxBytes;
  if (frame.length * 3 <= maxBytes) return false;
  return frame.length > maxBytes || new TextEncoder().encode(frame).byteLength > maxBytes;
}

export function closeQuietly(ws: WebSocket, code: number, reason: string): void {
  try {
    ws.close(code, reason);
  } catch {
    // Closed from the other side in the meantime, or for good: there is nothing left to do.
  }
}

/** Several bodies' worth may wait for a slow poller, and at least a burst of ordinary events. */
function maxQueuedBytes(settings: EngineSettings): number {
  return Math.max(4 * settings.maxPayloadBytes, 256 * 1024);
}
