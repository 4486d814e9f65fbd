import { createHmac } from "node:crypto";
import type { AddressInfo } from "node:net";
import { type FromEdge, FromNode } from "@lescopains/protocol/sfu/registry";
import * as v from "valibot";
import { expect, onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";
import { type WebSocket, WebSocketServer } from "ws";

export const secret = "a secret of more than thirty-two bytes, shared with the edge";

export interface Registry {
  readonly url: string;
  readonly received: FromNode[];
  /** The Bearer of each connection. */
  readonly tokens: string[];
  send(message: FromEdge): void;
  until<T extends FromNode["type"]>(type: T, index?: number): Promise<Extract<FromNode, { type: T }>>;
  drop(): void;
}

/** The edge's end of the registry, as far as a node can tell. */
export async function startRegistry({
  proves = secret,
  beats = true,
  atEnd = onTestFinished,
}: { proves?: string; beats?: boolean; atEnd?: (end: () => void) => void } = {}): Promise<Registry> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  atEnd(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const received: FromNode[] = [];
  const tokens: string[] = [];
  let latest: WebSocket | undefined;
  const send = (message: FromEdge): void => latest?.send(JSON.stringify(message));
  server.on("connection", (socket, request) => {
    latest = socket;
    tokens.push(request.headers.authorization?.replace("Bearer ", "") ?? "");
    socket.on("message", (data: Buffer) => {
      const message = v.parse(FromNode, JSON.parse(data.toString("utf8")));
      received.push(message);
      if (message.type === "register") {
        const hmac = createHmac("sha256", proves).update(`${message.nodeId} ${message.nonce}`);
        send({ type: "welcome", proof: hmac.digest("base64url") });
      }
      if (message.type === "heartbeat" && beats) send({ type: "beat" });
    });
  });
  await eventually(() => expect(server.address()).not.toBeNull());
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}`,
    received,
    tokens,
    send,
    drop: () => latest?.terminate(),
    until: (type, index = 0) =>
      eventually(() => {
        const found = received.filter((one) => one.type === type)[index];
        if (found === undefined) throw new Error(`no ${type}`);
        return found as never;
      }),
  };
}
