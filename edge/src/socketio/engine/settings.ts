import type { Session } from "./session.ts";

/** How the Engine.IO server behaves. All of it is announced or enforced by {@link EngineServer}. */
export interface EngineSettings {
  /** Path of every request, with both slashes: `/socket.io/`. */
  path: string;
  /** Announced in the handshake. Not hibernating: also the period of the server's pings. */
  pingIntervalMs: number;
  /** Announced in the handshake. Not hibernating: how long a ping may stay unanswered. */
  pingTimeoutMs: number;
  /** How long a session may linger in a half-done state (no namespace, upgrade begun, packet begun). */
  halfDoneTimeoutMs: number;
  /** Largest WebSocket frame and polling body; announced as `maxPayload`. */
  maxPayloadBytes: number;
  /** Hibernating WebSockets: no timer is ever set, the actor's alarm calls `sweep` instead. */
  hibernate: boolean;
  /** Every sid begins with it, so that a router can find the actor again. */
  sidPrefix: string;
  /** A message (`request`, without the Engine.IO type) the runtime answers without waking the actor. */
  autoAnswer?: { request: string; answer: string };
  /** Token bucket of each session, in frames. */
  flood: FloodLimits;
  /** Sessions the actor holds at once; a handshake above it is refused with 503. */
  maxConnections: number;
}

export interface FloodLimits {
  framesPerSecond: number;
  burst: number;
  /** A larger frame counts as often as this fits into it; absent: every frame counts once. */
  frameBytes?: number;
}

/** What a sweep does with silent sessions. */
export interface SweepRules {
  /** Silent for longer: an Engine.IO ping is sent, once for each silence. */
  pingAfterMs: number;
  /** Silent for longer: closed with `ping timeout`. */
  closeAfterMs: number;
}

/** What stands on top of the Engine.IO server. `S` is its own state for each session. */
export interface EngineHandlers<S> {
  /** A session was opened: its state. Nothing may be sent yet. */
  opened(session: Session<S>): S;
  /** A session was found again after hibernation. `undefined`: what was kept is not understood, the session closes. */
  woken(session: Session<S>, kept: unknown): S | undefined;
  /** The JSON-able part of the state that must survive hibernation. */
  keep(state: S): unknown;
  /** A message arrived. Exceptions are reported, the session stays. */
  message(session: Session<S>, data: string | ArrayBuffer): void | Promise<void>;
  /** The session is over; nothing can be sent any more. */
  closed(session: Session<S>, reason: string): void;
  /** Called at every sweep and heartbeat: a reason to close the session now, or nothing. */
  expired(session: Session<S>, nowMs: number): string | undefined;
}

/** A complete WebSocket frame of Engine.IO: text with its type character, or a binary message. */
export type Frame = string | ArrayBuffer | ArrayBufferView;
