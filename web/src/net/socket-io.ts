import { io } from "socket.io-client";
import type { OpenWire } from "./wire.ts";

/**
 * The wire on the official client. Reconnecting is left to `socket.ts`, which knows why a connection ended.
 * WebSocket is tried first, since polling first costs three round trips; polling remains for networks that forbid it.
 */
export const openSocketIo: OpenWire = (events) => {
  let auth: Record<string, unknown> = {};
  /** True from `open` until the loss was told, so that it is told once. */
  let opened = false;
  const socket = io({
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
    open(token, deviceId) {
      auth = { token, ...(deviceId === undefined ? {} : { deviceId }) };
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
};

/** Engine.IO hands on the browser's CloseEvent as `context`. */
function closeCode(details: unknown): number | undefined {
  if (typeof details !== "object" || details === null || !("context" in details)) return undefined;
  const { context } = details;
  if (typeof context !== "object" || context === null || !("code" in context)) return undefined;
  return typeof context.code === "number" ? context.code : undefined;
}
