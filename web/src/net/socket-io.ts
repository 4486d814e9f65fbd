import { io } from "socket.io-client";
import type { OpenWire, Wire, WireEvents } from "./wire.ts";

/** A connection of the official client; each loss of it is told once. */
export interface SocketIo extends Omit<Wire, "open"> {
  /** Connects with this handshake. Once only until the connection is lost. */
  readonly open: (auth: object) => void;
}

interface SocketIoPlace {
  /** The page's own origin when there is none. */
  readonly url?: string;
  readonly path?: string;
}

/**
 * Coming back is left to the caller, who knows why a connection ended and what for to come back. WebSocket is tried first, since polling first
 * costs three round trips; polling remains for networks that forbid it.
 */
export function createSocketIo({ url, path = "/socket.io" }: SocketIoPlace, events: WireEvents): SocketIo {
  let auth: object = {};
  /** True from `open` until the loss was told, so that it is told once. */
  let opened = false;
  const socket = io(url, {
    path,
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

  socket.on("disconnect", (_reason, details) => {
    lose(() => events.lost(closeCode(details)));
  });
  socket.on("connect_error", (error: Error & { data?: unknown; context?: unknown }) => {
    lose(() => (error.data === undefined ? events.lost(closeCode(error)) : events.refused(error.data)));
  });
  socket.onAny((name: string, body: unknown) => events.event(name, body));

  return {
    open(next) {
      auth = next;
      opened = true;
      socket.connect();
    },
    close() {
      opened = false;
      socket.disconnect();
    },
    send(event) {
      // Socket.IO would keep it for the next connection, where it means nothing.
      if (socket.connected) socket.emit(event);
    },
    async request(event, body, timeoutMs) {
      if (!socket.connected) throw new Error("not connected");
      return await socket.timeout(timeoutMs).emitWithAck(event, body);
    },
  };
}

/** The wire to the edge; `socket.ts` drives it. */
export const openEdgeSocket: OpenWire = (events) => {
  const socket = createSocketIo({}, events);
  return {
    ...socket,
    open: (token, deviceId) => socket.open({ token, ...(deviceId === undefined ? {} : { deviceId }) }),
  };
};

/** Engine.IO hands on the browser's CloseEvent as `context`. */
function closeCode(details: unknown): number | undefined {
  if (typeof details !== "object" || details === null || !("context" in details)) return undefined;
  const { context } = details;
  if (typeof context !== "object" || context === null || !("code" in context)) return undefined;
  return typeof context.code === "number" ? context.code : undefined;
}
