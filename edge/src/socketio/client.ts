import { type Packet, PacketType } from "socket.io-parser";

import { randomId } from "./engine/handshake.ts";
import type { Session } from "./engine/session.ts";
import type { ConnectAnswer, NamespaceHandlers } from "./handlers.ts";
import { type KeptSocket, NamespaceSocket } from "./namespace-socket.ts";
import { beginsBinary, decodeText, encode, MalformedPacket, Reassembly } from "./packets.ts";
import type { Rooms } from "./rooms.ts";
import type { Settings } from "./settings.ts";

/** What a client needs of the server that holds it. */
export interface ClientHost<D> {
  readonly settings: Settings;
  readonly namespaces: ReadonlyMap<string, NamespaceHandlers<D>>;
  readonly sockets: Set<NamespaceSocket<D>>;
  readonly rooms: Rooms<NamespaceSocket<D>>;
  /** Runs application code later: its exceptions are reported and reach nobody else. */
  later(work: () => void | Promise<void>): void;
  report(error: unknown): void;
}

/** The Socket.IO side of one Engine.IO session: its namespaces and the packet that is being received. */
export class Client<D> {
  readonly host: ClientHost<D>;
  readonly session: Session<Client<D>>;
  #sockets: NamespaceSocket<D>[] = [];
  /** Namespaces whose connect handler has not answered yet. */
  #connecting: Set<string> | undefined;
  #reassembly: Reassembly | undefined;
  /** Since when the client has been in no namespace; only meaningful while it is in none. */
  #idleSinceMs: number;

  constructor(host: ClientHost<D>, session: Session<Client<D>>) {
    this.host = host;
    this.session = session;
    this.#idleSinceMs = session.openedMs;
  }

  /** Takes up what `keep` left; false when it is not of its making. */
  restore(kept: unknown): boolean {
    if (!isKept(kept)) return false;
    for (const part of kept) {
      const socket = NamespaceSocket.woken(this, part);
      this.#sockets.push(socket);
      this.#list(socket);
    }
    return true;
  }

  keep(): KeptSocket[] {
    return this.#sockets.map((socket) => socket.keep());
  }

  /** Why the session should end now, if it should. */
  expired(nowMs: number): string | undefined {
    const { connectTimeoutMs } = this.host.settings;
    if (this.#sockets.length === 0 && nowMs - this.#idleSinceMs > connectTimeoutMs) return "connect timeout";
    if (this.#reassembly !== undefined && nowMs - this.#reassembly.startedMs > connectTimeoutMs) {
      return "incomplete packet";
    }
    return undefined;
  }

  /** A message of the session. */
  receive(message: string | ArrayBuffer): void | Promise<void> {
    try {
      const packet = this.#decode(message);
      return packet === undefined ? undefined : this.#handle(packet);
    } catch (error) {
      if (!(error instanceof MalformedPacket)) throw error;
      this.session.rejectMessage("parse error");
    }
  }

  /** Takes a socket out of its namespace. */
  remove(socket: NamespaceSocket<D>, reason: string): void {
    this.#sockets = this.#sockets.filter((other) => other !== socket);
    this.#idleSinceMs = Date.now();
    this.#unlist(socket, reason);
    if (this.session.isClosed) return;
    this.session.persist();
    this.session.expectProgress();
  }

  /** The session is over. */
  closed(reason: string): void {
    const sockets = this.#sockets;
    this.#sockets = [];
    this.#reassembly = undefined;
    for (const socket of sockets) this.#unlist(socket, reason);
  }

  #decode(message: string | ArrayBuffer): Packet | undefined {
    if (this.#reassembly !== undefined) {
      const packet = this.#reassembly.add(message);
      if (packet !== undefined) this.#reassembly = undefined;
      return packet;
    }
    if (typeof message !== "string") throw new MalformedPacket("binary data that no packet announced");
    if (!beginsBinary(message)) return decodeText(message);
    this.#reassembly = new Reassembly(message, this.host.settings.maxPayloadBytes, Date.now());
    this.session.expectProgress();
    return undefined;
  }

  #handle(packet: Packet): void | Promise<void> {
    const socket = this.#sockets.find((candidate) => candidate.namespace === packet.nsp);
    if (packet.type === PacketType.CONNECT && socket === undefined) {
      if (this.#connecting?.has(packet.nsp)) throw new MalformedPacket("a second CONNECT");
      return this.#connect(packet.nsp, packet.data ?? {});
    }
    if (socket !== undefined) {
      switch (packet.type) {
        case PacketType.EVENT:
          return this.#event(socket, packet);
        case PacketType.ACK:
          return socket.acknowledged(packet.id ?? -1, packet.data as unknown[]);
        case PacketType.DISCONNECT:
          return this.remove(socket, "client namespace disconnect");
        default:
      }
    }
    // An event before its CONNECT, a second CONNECT, a server's packet: the reference server closes too.
    this.session.rejectMessage("invalid state");
  }

  async #connect(namespace: string, auth: unknown): Promise<void> {
    const handlers = this.host.namespaces.get(namespace);
    if (handlers === undefined) return this.#refuse(namespace, "Invalid namespace");
    const { url, headers } = this.session.handshake();
    const socket = new NamespaceSocket(this, namespace, randomId());
    (this.#connecting ??= new Set()).add(namespace);
    let answer: ConnectAnswer<D>;
    try {
      answer = await handlers.connect({ auth, headers: new Headers(headers), url: new URL(url) }, socket);
      if (this.session.isClosed || socket.isGone) return;
      if (!answer.ok) return this.#refuse(namespace, answer.message, answer.data);
      socket.accept(answer.data);
      this.#sockets.push(socket);
      this.session.persist();
    } catch (error) {
      this.host.report(error);
      this.#sockets = this.#sockets.filter((other) => other !== socket);
      return this.#refuse(namespace, "Internal error");
    } finally {
      this.#connecting.delete(namespace);
    }
    this.#list(socket);
    socket.send({ type: PacketType.CONNECT, nsp: namespace, data: { sid: socket.id } });
    if (handlers.connected !== undefined) await this.#attempt(() => handlers.connected?.(socket));
  }

  async #event(socket: NamespaceSocket<D>, packet: Packet): Promise<void> {
    const handlers = this.host.namespaces.get(socket.namespace);
    const [name, ...args] = packet.data as [string | number, ...unknown[]];
    const ack = packet.id === undefined ? undefined : acknowledger(socket, packet.id);
    await this.#attempt(() => handlers?.event(socket, String(name), args, ack));
  }

  async #attempt(work: () => void | Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.host.report(error);
    }
  }

  #refuse(namespace: string, message: string, data?: unknown): void {
    const refusal = data === undefined ? { message } : { message, data };
    this.session.deliver(encode({ type: PacketType.CONNECT_ERROR, nsp: namespace, data: refusal }));
  }

  #list(socket: NamespaceSocket<D>): void {
    this.host.sockets.add(socket);
    for (const room of socket.rooms) this.host.rooms.add(room, socket);
  }

  #unlist(socket: NamespaceSocket<D>, reason: string): void {
    if (!socket.end()) return;
    this.host.sockets.delete(socket);
    for (const room of socket.rooms) this.host.rooms.remove(room, socket);
    const handlers = this.host.namespaces.get(socket.namespace);
    this.host.later(() => handlers?.disconnected?.(socket, reason));
  }
}

/** Answers an event once; later calls, and calls after the socket has left, do nothing. */
function acknowledger(socket: NamespaceSocket<unknown>, id: number): (...args: unknown[]) => void {
  let isUsed = false;
  return (...args) => {
    if (isUsed || socket.isGone) return;
    isUsed = true;
    socket.send({ type: PacketType.ACK, nsp: socket.namespace, id, data: args });
  };
}

function isKept(value: unknown): value is KeptSocket[] {
  return (
    Array.isArray(value) &&
    value.every(
      (part) =>
        Array.isArray(part) && typeof part[0] === "string" && typeof part[1] === "string" && Array.isArray(part[2]),
    )
  );
}
