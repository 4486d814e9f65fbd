import { io } from "socket.io-client";

/** What an SFU node's connection tells. */
export interface SfuWireEvents {
  readonly event: (name: string, body: unknown) => void;
  /** The connection ended, or never came about. Told once for each `open`. */
  readonly lost: () => void;
  /** The node refused it; `reason` is what it says. Told in place of `lost`. */
  readonly refused: (reason: unknown) => void;
}

export interface SfuWire {
  /** Connects with this handshake. */
  readonly open: (auth: { readonly token: string; readonly resumeKey?: string }) => void;
  /** @throws when there is no answer in time. */
  readonly request: (name: string, body: unknown, timeoutMs: number) => Promise<unknown>;
  /** Ends the connection without telling. */
  readonly close: () => void;
}

export type OpenSfuWire = (url: string, events: SfuWireEvents) => SfuWire;

/** The wire on the official client. Coming back is left to `sfu-link.ts`, which knows what for. */
export const openSfuSocket: OpenSfuWire = (url, events) => {
  let auth: Record<string, unknown> = {};
  /** True from `open` until the loss was told. */
  let opened = false;
  const socket = io(url, {
    path: "/sfu/socket.io",
    autoConnect: false,
    forceNew: true,
    reconnection: false,
    transports: ["websocket", "polling"],
    tryAllTransports: true,
    auth: (give) => give(auth),
  });
  function lose(tell: () => void): void {
    if (!opened) return;
    opened = false;
    socket.disconnect();
    tell();
  }
  socket.on("disconnect", () => lose(events.lost));
  socket.on("connect_error", (error: Error & { data?: unknown }) => {
    lose(() => (error.data === undefined ? events.lost() : events.refused(error.data)));
  });
  socket.onAny((name: string, body: unknown) => events.event(name, body));
  return {
    open(next) {
      auth = { ...next };
      opened = true;
      socket.connect();
    },
    async request(name, body, timeoutMs) {
      if (!socket.connected) throw new Error("not connected");
      return await socket.timeout(timeoutMs).emitWithAck(name, body);
    },
    close() {
      opened = false;
      socket.disconnect();
    },
  };
};
