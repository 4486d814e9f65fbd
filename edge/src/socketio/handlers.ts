/** What the application provides and is given. `D` is its own JSON-able data for each socket. */

/** A namespace of one client. */
export interface Socket<D> {
  /** Random and unique; told to the client in the CONNECT packet. */
  readonly id: string;
  readonly namespace: string;
  readonly transport: "websocket" | "polling";
  /** As `connect` or `setData` left it, also after hibernation. Throws before `connect` has accepted. */
  readonly data: D;
  readonly rooms: ReadonlySet<string>;
  /** @throws {AttachmentTooLarge} data and rooms of the connection no longer fit; then nothing has changed. */
  setData(data: D): void;
  /** Last sign of life of the connection, the runtime's automatic answers included. */
  lastSeenMs(): number;
  /** Sends an event. Never throws for the client's sake; binary arguments are ArrayBuffers or views. */
  emit(event: string, ...args: unknown[]): void;
  /**
   * Sends an event and resolves with the arguments of the client's acknowledgement; rejects with {@link AckFailed}.
   * A pending acknowledgement keeps the actor awake for at most `timeoutMs`.
   */
  emitWithAck(timeoutMs: number, event: string, ...args: unknown[]): Promise<unknown[]>;
  /** One write for any number of rooms. @throws {AttachmentTooLarge} as `setData`. */
  join(...rooms: string[]): void;
  leave(...rooms: string[]): void;
  /**
   * Without `close`: a DISCONNECT packet, the connection stays for other namespaces. With `close`: the same, then the
   * connection ends; the official client does not come back by itself. With `close` and a `code`: no packet, the
   * connection closes with code and reason, and the official client reconnects by itself (polling carries no code).
   */
  disconnect(options?: { close?: boolean; code?: number; reason?: string }): void;
}

/** An emitted event was not acknowledged. */
export class AckFailed extends Error {
  override readonly name = "AckFailed";
  override readonly cause: "timeout" | "disconnected" | "too many";

  constructor(cause: "timeout" | "disconnected" | "too many") {
    super(`no acknowledgement: ${cause}`);
    this.cause = cause;
  }
}

export interface ConnectRequest {
  /** The CONNECT packet's payload, `{}` when it has none. */
  auth: unknown;
  /** Headers of the request that opened the connection, hop-by-hop ones left out. */
  headers: Headers;
  url: URL;
}

export type ConnectAnswer<D> = { ok: true; data: D } | { ok: false; message: string; data?: unknown };

export interface NamespaceHandlers<D> {
  /** Decides on a CONNECT packet. Refused: the client gets a CONNECT_ERROR with `message` and `data`. */
  connect(request: ConnectRequest, socket: Socket<D>): Promise<ConnectAnswer<D>>;
  /** Called after the CONNECT packet was sent. */
  connected?(socket: Socket<D>): void | Promise<void>;
  /** An event, `ack` present when the client wants an answer. Exceptions go to `onError`; the connection stays. */
  event(
    socket: Socket<D>,
    name: string,
    args: unknown[],
    ack: ((...args: unknown[]) => void) | undefined,
  ): void | Promise<void>;
  /** The socket has left its namespace, in whatever way; nothing can be sent to it any more. */
  disconnected?(socket: Socket<D>, reason: string): void | Promise<void>;
}
