import type { AddressInfo } from "node:net";
import { connect, type Socket } from "node:net";
import { WebSocketServer } from "ws";

/** Speaks WebSocket to Neon's driver and TCP to PostgreSQL, as Neon's wsproxy does: `/v1?address=host:port`. */
export interface WsProxy {
  /** `ws://127.0.0.1:<port>/v1`. */
  readonly url: string;
  /** Where its connections to PostgreSQL come from. */
  localPorts(): number[];
  /** Breaks every connection, as a network would. */
  cut(): void;
  stop(): Promise<void>;
}

export async function startWsProxy(): Promise<WsProxy> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await new Promise((resolve) => server.once("listening", resolve));
  const upstreams = new Set<Socket>();
  server.on("connection", (socket, request) => {
    const address = new URL(request.url ?? "", "ws://proxy").searchParams.get("address") ?? "";
    const [host = "", port = ""] = address.split(":");
    const upstream = connect(Number(port), host);
    upstreams.add(upstream);
    socket.on("message", (data: Buffer) => upstream.write(data));
    socket.on("close", () => upstream.destroy());
    socket.on("error", () => upstream.destroy());
    upstream.on("data", (data) => socket.send(data));
    upstream.on("error", () => socket.terminate());
    upstream.on("close", () => {
      upstreams.delete(upstream);
      socket.close();
    });
  });
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    localPorts: () => [...upstreams].map(({ localPort }) => localPort ?? 0),
    cut: () => server.clients.forEach((client) => client.terminate()),
    stop: async () => {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
