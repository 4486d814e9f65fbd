import type { EngineSettings, FloodLimits } from "./engine/settings.ts";

/** How a {@link SocketServer} behaves. */
export interface Settings {
  /** Path of every request, with both slashes: `/socket.io/`. */
  path: string;
  /** Announced in the handshake. Not hibernating: also the period of the server's own pings. */
  pingIntervalMs: number;
  /** Announced in the handshake. Not hibernating: how long a ping may stay unanswered. */
  pingTimeoutMs: number;
  /** A connection without a namespace, or with half a packet, for longer than this is closed. */
  connectTimeoutMs: number;
  /** Announced as `maxPayload`. Frames above it close with 1009, polling bodies above it are answered 413. */
  maxPayloadBytes: number;
  /** Hibernating WebSockets: the server sets no timers; the actor's alarm must call `sweep`. */
  hibernate: boolean;
  /** Every Engine.IO sid begins with it, so that a router can find the actor again (for example `3.`). */
  sidPrefix: string;
  /** `42["event"]` is answered `42["answer"]`, hibernating by the runtime itself, without waking the actor. */
  autoAnswer?: { event: string; answer: string };
  /** Token bucket of each connection; above it the connection closes with 1008 `flood`. */
  flood: FloodLimits;
  /** Connections the actor holds; a handshake above it is refused with 503. */
  maxConnections: number;
}

export function engineSettings(settings: Settings): EngineSettings {
  const { connectTimeoutMs, autoAnswer, ...rest } = settings;
  const engine: EngineSettings = { ...rest, halfDoneTimeoutMs: connectTimeoutMs };
  if (autoAnswer !== undefined) {
    const { event, answer } = autoAnswer;
    engine.autoAnswer = { request: `2${JSON.stringify([event])}`, answer: `2${JSON.stringify([answer])}` };
  }
  return engine;
}
