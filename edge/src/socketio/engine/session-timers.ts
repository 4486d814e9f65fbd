import type { EngineSettings } from "./settings.ts";

/** What the timers do to their session. */
export interface TimedSession {
  ping(nowMs: number): void;
  pingTimedOut(): void;
  /** Closes the session if something has been half done for too long; answers whether it is closed. */
  closeIfExpired(nowMs: number): boolean;
}

type Timer = ReturnType<typeof setTimeout>;

/** The clockwork of a session that does not hibernate; hibernating ones are swept instead. */
export class SessionTimers {
  readonly #settings: EngineSettings;
  readonly #session: TimedSession;
  #heartbeat: Timer | undefined;
  #progress: Timer | undefined;
  #progressDueMs = 0;

  constructor(settings: EngineSettings, session: TimedSession) {
    this.#settings = settings;
    this.#session = session;
    this.pingLater();
    this.expectProgress();
  }

  /** The next ping is an interval away, and nothing is owed for the last one. */
  pingLater(): void {
    if (this.#heartbeat !== undefined) clearTimeout(this.#heartbeat);
    const { pingIntervalMs, pingTimeoutMs } = this.#settings;
    this.#heartbeat = setTimeout(() => {
      if (this.#session.closeIfExpired(Date.now())) return;
      this.#heartbeat = setTimeout(() => this.#session.pingTimedOut(), pingTimeoutMs);
      this.#session.ping(Date.now());
    }, pingIntervalMs);
  }

  /** Something is half done. One timer serves all: what began while it ran gets the rest of its time. */
  expectProgress(): void {
    const { halfDoneTimeoutMs } = this.#settings;
    this.#progressDueMs = Date.now() + halfDoneTimeoutMs;
    if (this.#progress === undefined) this.#checkProgressIn(halfDoneTimeoutMs);
  }

  stop(): void {
    if (this.#heartbeat !== undefined) clearTimeout(this.#heartbeat);
    if (this.#progress !== undefined) clearTimeout(this.#progress);
  }

  #checkProgressIn(delayMs: number): void {
    this.#progress = setTimeout(() => {
      this.#progress = undefined;
      const nowMs = Date.now();
      if (this.#session.closeIfExpired(nowMs) || nowMs > this.#progressDueMs) return;
      this.#checkProgressIn(this.#progressDueMs - nowMs);
    }, delayMs + 1);
  }
}
