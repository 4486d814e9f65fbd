import { ConnectRefusal, DOWN, type DownBody, type DownEvent } from "@lescopains/protocol/down";
import type { DeviceId } from "@lescopains/protocol/device-list";
import { CLOSE_CODES } from "@lescopains/protocol/errors";
import type { SessionId } from "@lescopains/protocol/ids";
import { PERIODS } from "@lescopains/protocol/limits";
import { UP, type UpAnswer, type UpEvent } from "@lescopains/protocol/up";
import { type ReadonlySignal, signal } from "@preact/signals";
import * as v from "valibot";
import { backoffMs } from "../sync/backoff.ts";
import type { ConnectionNotice, ConnectionState } from "../sync/live-types.ts";
import type { Beats, Clock, Page } from "../sync/ports.ts";
import type { Access } from "./access.ts";
import { ApiError, asApiError, unavailable } from "./api-error.ts";
import type { OpenWire } from "./wire.ts";

/** The good answer of an event; a refusal is thrown. */
export type UpOk<E extends UpEvent> = Extract<UpAnswer<E>, { ok: true }>;
/** What may be sent with an event, before its defaults are filled in. */
export type UpInput<E extends UpEvent> = v.InferInput<(typeof UP)[E]["body"]>;

/** The live connection to the gateway: one that comes back by itself. */
export interface Socket {
  readonly state: ReadonlySignal<ConnectionState>;
  readonly notice: ReadonlySignal<ConnectionNotice>;
  /**
   * Sends an event and waits for its answer.
   * @throws ApiError the refusal; `unavailable` without a connection, after 10 s without an answer, or for an answer that is not the contract's.
   */
  readonly emit: <E extends UpEvent>(event: E, body: UpInput<E>) => Promise<UpOk<E>>;
  /** As `emit`, for what may be said twice: when the connection goes just then, as for another token, it is said on the next, if that is there within 10 s. */
  readonly insist: <E extends UpEvent>(event: E, body: UpInput<E>) => Promise<UpOk<E>>;
  /** Calls `listener` for every such event; what is not as the contract says is dropped before. */
  readonly on: <E extends DownEvent>(event: E, listener: (body: DownBody<E>) => void) => void;
  /** Speaks for this device from now on; a connection that speaks for another, or for none, is made anew at once. */
  readonly useDevice: (deviceId: DeviceId) => void;
  readonly start: () => void;
  readonly close: () => void;
}

export interface SocketDeps {
  readonly openWire: OpenWire;
  readonly access: Access;
  readonly clock: Clock;
  readonly beats: Beats;
  readonly page: Page;
  readonly random: () => number;
}

const ANSWER_TIMEOUT_MS = 10_000;
/** What was said as the connection went counts on the next one if that is there within this time. */
const AGAIN_MS = 10_000;
/** Opening, the handshake and `ready` together may take this long. */
const READY_TIMEOUT_MS = 15_000;
const PONG_TIMEOUT_MS = 10_000;
/** When there is reason to doubt the line, it has less time to prove itself. */
const DOUBT_TIMEOUT_MS = 3_000;
/** People are told about a lost connection after this long. */
const QUIET_MS = 2_000;

/** Keeps one connection to the gateway: refreshes the token, reconnects, and notices a dead line. */
export function createSocket(deps: SocketDeps): Socket {
  const { clock, page, access } = deps;
  const state = signal<ConnectionState>(unconnected(clock.now()));
  const notice = signal<ConnectionNotice>("none");
  const listeners = new Map<string, ((body: never) => void)[]>();
  const stops: (() => void)[] = [];

  let closed = false;
  /** `waiting`: for the next attempt. `opening`: until `ready`. */
  let phase: "idle" | "waiting" | "opening" | "ready" = "idle";
  let attempt = 0;
  let staleToken: string | undefined;
  let usedToken = "";
  let sessionId: SessionId | undefined;
  let wantedDevice: DeviceId | undefined;
  /** The one that the present connection speaks for, as the server said. */
  let device: DeviceId | null = null;
  /** Grows with each attempt, so that what belongs to an earlier one is told apart. */
  let round = 0;
  let cancelTimer: (() => void) | undefined;
  let cancelPong: (() => void) | undefined;
  let cancelNotice: (() => void) | undefined;
  let lastHeardMs = 0;
  /** What goes on when there is a connection again. */
  const waiting = new Set<() => void>();

  const wire = deps.openWire({
    lost(closeCode) {
      if (closeCode === CLOSE_CODES.sessionRevoked) {
        access.end();
        return;
      }
      if (closeCode === CLOSE_CODES.tokenExpired) staleToken = usedToken;
      down(closeCode === CLOSE_CODES.tokenExpired ? 0 : undefined);
    },
    refused(reason) {
      const parsed = v.safeParse(ConnectRefusal, reason);
      const code = parsed.success ? parsed.output.code : undefined;
      if (code === "session_revoked") {
        access.end();
        return;
      }
      if (code === "token_expired" || code === "unauthenticated") staleToken = usedToken;
      // A renewed token is tried at once, but only the first time: a server that refuses fresh tokens is not hammered.
      const delayMs = code === "token_expired" && attempt === 0 ? 0 : undefined;
      down(parsed.success ? (parsed.output.retryAfterMs ?? delayMs) : undefined);
    },
    event: receive,
  });

  function unconnected(sinceMs: number): ConnectionState {
    return { kind: page.online() ? "connecting" : "offline", sinceMs };
  }

  /** Without a network it still tries: `localhost` answers on a machine that has none. */
  function showUnconnected(): void {
    const before = state.peek();
    const sinceMs = before.kind === "connected" ? clock.now() : before.sinceMs;
    if (before.kind === "connected" || before.kind !== unconnected(sinceMs).kind) state.value = unconnected(sinceMs);
    cancelNotice?.();
    const quietForMs = sinceMs + QUIET_MS - clock.now();
    const tell = (): void => {
      const now = state.peek();
      if (now.kind !== "connected") notice.value = now.kind === "offline" ? "offline" : "reconnecting";
    };
    cancelNotice = quietForMs > 0 ? clock.after(quietForMs, tell) : undefined;
    if (quietForMs <= 0) tell();
  }

  function setTimer(delayMs: number, task: () => void): void {
    cancelTimer?.();
    cancelTimer = clock.after(delayMs, task);
  }

  /** The line is gone, or never came: wait and try again. */
  function down(delayMs: number | undefined): void {
    if (closed) return;
    round += 1;
    cancelPong?.();
    cancelPong = undefined;
    phase = "waiting";
    showUnconnected();
    setTimer(delayMs ?? backoffMs(attempt, deps.random), () => void connect());
    attempt += 1;
  }

  async function connect(): Promise<void> {
    if (closed || phase === "opening" || phase === "ready") return;
    phase = "opening";
    round += 1;
    const mine = round;
    setTimer(READY_TIMEOUT_MS, () => {
      wire.close();
      down(undefined);
    });
    try {
      const token = staleToken === undefined ? await access.token() : await access.renew(staleToken);
      if (closed || mine !== round) return;
      staleToken = undefined;
      usedToken = token;
      wire.open(token, wantedDevice);
    } catch (thrown) {
      // Signed out meanwhile: `access` has told, and this socket is about to be closed.
      if (!closed && mine === round) down(asApiError(thrown).retryAfterMs);
    }
  }

  function up(): void {
    phase = "ready";
    attempt = 0;
    cancelTimer?.();
    cancelNotice?.();
    notice.value = "none";
    state.value = { kind: "connected" };
    for (const resume of waiting) resume();
    waiting.clear();
  }

  async function emit<E extends UpEvent>(event: E, body: UpInput<E>): Promise<UpOk<E>> {
    if (phase !== "ready") throw unavailable("not connected");
    let raw: unknown;
    try {
      raw = await wire.request(event, body, ANSWER_TIMEOUT_MS);
    } catch (error) {
      throw unavailable(`${event} was not answered`, error);
    }
    const parsed = v.safeParse(UP[event].answer, raw);
    if (!parsed.success) throw unavailable(`the answer to ${event} is not the contract's`, parsed.issues);
    const answer: UpAnswer<UpEvent> = parsed.output;
    if (!answer.ok) throw new ApiError(answer.error);
    return answer as UpOk<E>;
  }

  /** Resolves with the next connection; rejects with `error` when there is none in time. */
  function nextUp(error: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = clock.after(AGAIN_MS, () => {
        waiting.delete(resume);
        reject(error);
      });
      const resume = (): void => {
        cancel();
        resolve();
      };
      waiting.add(resume);
    });
  }

  function receive(name: string, raw: unknown): void {
    lastHeardMs = clock.now();
    cancelPong?.();
    cancelPong = undefined;
    const schema = Object.hasOwn(DOWN, name) ? DOWN[name as DownEvent] : undefined;
    if (schema === undefined || closed) return;
    const parsed = v.safeParse(schema, raw);
    if (!parsed.success) {
      console.warn(
        `dropped a ${name} that is not as the contract says`,
        parsed.issues.map((issue) => v.getDotPath(issue)),
      );
      return;
    }
    if (name === "ready") {
      const ready = parsed.output as DownBody<"ready">;
      sessionId = ready.sessionId;
      device = ready.deviceId;
      up();
    }
    if (name === "session:revoked" && (parsed.output as DownBody<"session:revoked">).sessionId === sessionId) {
      access.end();
      return;
    }
    for (const listener of listeners.get(name) ?? []) listener(parsed.output as never);
  }

  /** Asks for a sign of life; anything received counts as one. */
  function ping(timeoutMs: number): void {
    if (phase !== "ready" || cancelPong !== undefined) return;
    wire.send("presence:ping");
    cancelPong = clock.after(timeoutMs, () => {
      cancelPong = undefined;
      wire.close();
      down(0);
    });
  }

  function pageChanged(): void {
    if (phase === "waiting") {
      showUnconnected();
      if (page.online() && page.visible()) {
        attempt = 0;
        void connect();
      }
    } else if (!page.online() || clock.now() - lastHeardMs > PONG_TIMEOUT_MS) {
      // Without a network, back from sleep or from another one, the line may be dead without either side having been told.
      ping(DOUBT_TIMEOUT_MS);
    }
  }

  return {
    state,
    notice,
    emit,
    async insist(event, body) {
      const before = round;
      try {
        return await emit(event, body);
      } catch (error) {
        // Refused, or not answered on a connection that stands.
        if (asApiError(error).code !== "unavailable" || (phase === "ready" && round === before)) throw error;
        if (phase !== "ready") await nextUp(error);
        return await emit(event, body);
      }
    },
    on(event, listener) {
      const list = listeners.get(event) ?? [];
      list.push(listener);
      listeners.set(event, list);
    },
    useDevice(deviceId) {
      wantedDevice = deviceId;
      if (phase !== "ready" || device === deviceId) return;
      wire.close();
      down(0);
    },
    start() {
      stops.push(
        page.onChange(pageChanged),
        deps.beats.every(PERIODS.presencePingMs, () => ping(PONG_TIMEOUT_MS)),
      );
      showUnconnected();
      void connect();
    },
    close() {
      closed = true;
      for (const stop of stops) stop();
      cancelTimer?.();
      cancelPong?.();
      cancelNotice?.();
      wire.close();
    },
  };
}
