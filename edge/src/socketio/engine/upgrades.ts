import { encodeCandidate } from "./attachment.ts";
import { closeCode, closeQuietly, type Session } from "./session.ts";
import type { EngineSettings } from "./settings.ts";

interface Candidate<S> {
  readonly session: Session<S>;
  readonly openedMs: number;
}

/** The WebSockets that ask to take over a polling session, at most one for each session. */
export class Upgrades<S> {
  readonly #settings: EngineSettings;
  readonly #candidates = new Map<WebSocket, Candidate<S>>();
  readonly #sessions = new Set<Session<S>>();

  constructor(settings: EngineSettings) {
    this.#settings = settings;
  }

  /** Whether a WebSocket is after this session. */
  includes(session: Session<S>): boolean {
    return this.#sessions.has(session);
  }

  has(ws: WebSocket): boolean {
    return this.#candidates.has(ws);
  }

  /** `ws` has been accepted and may probe. */
  begin(session: Session<S>, ws: WebSocket, nowMs: number): void {
    this.#sessions.add(session);
    this.#candidates.set(ws, { session, openedMs: nowMs });
    const { hibernate, halfDoneTimeoutMs } = this.#settings;
    if (hibernate) ws.serializeAttachment(encodeCandidate({ candidateFor: session.sid }));
    else setTimeout(() => this.has(ws) && this.reject(ws, "upgrade timeout"), halfDoneTimeoutMs);
  }

  /**
   * A frame of a candidate: the probe, the upgrade, or a fault that costs the candidate but not the session. Answers
   * the session when it now belongs to `ws`. @throws {AttachmentTooLarge}
   */
  advance(ws: WebSocket, frame: string | ArrayBuffer, nowMs: number): Session<S> | undefined {
    const session = this.#candidates.get(ws)?.session;
    if (session === undefined || session.isClosed) return this.reject(ws, "session closed");
    if (frame === "2probe") {
      if (!session.admits(1, nowMs)) return this.reject(ws, "flood");
      ws.send("3probe");
      session.polling?.flush("6");
      return undefined;
    }
    if (frame !== "5") return this.reject(ws, "invalid upgrade");
    session.moveTo(ws);
    this.forget(ws);
    return session;
  }

  reject(ws: WebSocket, reason: string): undefined {
    this.forget(ws);
    if (this.#settings.hibernate) ws.serializeAttachment(null);
    closeQuietly(ws, closeCode.policy, reason);
  }

  forget(ws: WebSocket): void {
    const candidate = this.#candidates.get(ws);
    if (candidate !== undefined) this.#sessions.delete(candidate.session);
    this.#candidates.delete(ws);
  }

  sweep(nowMs: number): void {
    for (const [ws, { openedMs }] of this.#candidates) {
      if (nowMs - openedMs > this.#settings.halfDoneTimeoutMs) this.reject(ws, "upgrade timeout");
    }
  }
}
