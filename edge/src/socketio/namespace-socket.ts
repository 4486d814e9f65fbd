import { type Packet, PacketType } from "socket.io-parser";

import type { Client } from "./client.ts";
import { AckFailed, type Socket } from "./handlers.ts";
import { encode, encodeEvent } from "./packets.ts";

/** Acknowledgements one socket may owe; a client that answers none costs no more than this. */
const maxPendingAcks = 1_000;

interface PendingAck {
  resolve: (args: unknown[]) => void;
  reject: (error: AckFailed) => void;
  timer: ReturnType<typeof setTimeout>;
}

/** The part of a socket that survives hibernation: id, rooms, data. */
export type KeptSocket = [namespace: string, id: string, rooms: string[], data: unknown];

const noRooms: ReadonlySet<string> = new Set();

/** The only implementation of {@link Socket}. Optional parts exist only while they are used. */
export class NamespaceSocket<D> implements Socket<D> {
  readonly id: string;
  readonly namespace: string;
  readonly client: Client<D>;
  #stage: "connecting" | "connected" | "gone" = "connecting";
  #data: { value: D } | undefined;
  #rooms: Set<string> | undefined;
  #acks: Map<number, PendingAck> | undefined;
  #nextAckId = 0;

  constructor(client: Client<D>, namespace: string, id: string) {
    this.client = client;
    this.namespace = namespace;
    this.id = id;
  }

  static woken<D>(client: Client<D>, [namespace, id, rooms, data]: KeptSocket): NamespaceSocket<D> {
    const socket = new NamespaceSocket(client, namespace, id);
    // Written by keep() of this class from a D.
    socket.#data = { value: data as D };
    if (rooms.length > 0) socket.#rooms = new Set(rooms);
    // Beyond every id used before the hibernation: a late acknowledgement of then must not answer an event of now.
    socket.#nextAckId = Date.now();
    socket.#stage = "connected";
    return socket;
  }

  get isGone(): boolean {
    return this.#stage === "gone";
  }

  get transport(): "websocket" | "polling" {
    return this.client.session.transport;
  }

  get data(): D {
    if (this.#data === undefined) throw new Error("a socket has no data before its connect handler has accepted it");
    return this.#data.value;
  }

  get rooms(): ReadonlySet<string> {
    return this.#rooms ?? noRooms;
  }

  keep(): KeptSocket {
    return [this.namespace, this.id, [...this.rooms], this.#data?.value];
  }

  /** The connect handler said yes; from here on the socket is persisted. */
  accept(data: D): void {
    this.#data = { value: data };
    this.#stage = "connected";
  }

  setData(data: D): void {
    const before = this.#data;
    this.#data = { value: data };
    this.#persist(() => {
      this.#data = before;
    });
  }

  lastSeenMs(): number {
    return this.client.session.lastSeenMs();
  }

  emit(event: string, ...args: unknown[]): void {
    const frames = encodeEvent(this.namespace, event, args);
    if (!this.isGone) this.client.session.deliver(frames);
  }

  emitWithAck(timeoutMs: number, event: string, ...args: unknown[]): Promise<unknown[]> {
    const id = this.#nextAckId++;
    const frames = encodeEvent(this.namespace, event, args, id);
    return new Promise((resolve, reject) => {
      if (this.isGone) return reject(new AckFailed("disconnected"));
      const acks = (this.#acks ??= new Map());
      if (acks.size >= maxPendingAcks) return reject(new AckFailed("too many"));
      const timer = setTimeout(() => this.#takeAck(id)?.reject(new AckFailed("timeout")), timeoutMs);
      acks.set(id, { resolve, reject, timer });
      this.client.session.deliver(frames);
    });
  }

  /** An acknowledgement arrived; one that nobody waits for (late, repeated, invented) is ignored. */
  acknowledged(id: number, args: unknown[]): void {
    this.#takeAck(id)?.resolve(args);
  }

  join(...rooms: string[]): void {
    const before = this.rooms;
    const added = rooms.filter((room) => !before.has(room));
    if (added.length === 0 || this.isGone) return;
    this.#rooms = new Set([...before, ...added]);
    this.#persist(() => {
      this.#rooms = new Set(before);
    });
    if (this.#stage === "connected") for (const room of added) this.client.host.rooms.add(room, this);
  }

  leave(...rooms: string[]): void {
    const left = rooms.filter((room) => this.#rooms?.delete(room));
    if (left.length === 0) return;
    if (this.#rooms?.size === 0) this.#rooms = undefined;
    for (const room of left) this.client.host.rooms.remove(room, this);
    this.#persist(() => {});
  }

  disconnect(options: { close?: boolean; code?: number; reason?: string } = {}): void {
    if (this.isGone) return;
    const { close = false, code, reason = "server disconnect" } = options;
    if (close && code !== undefined) return this.client.session.close(reason, code, "1", true);
    this.send({ type: PacketType.DISCONNECT, nsp: this.namespace });
    this.client.remove(this, "server namespace disconnect");
    if (close) this.client.session.close(reason, 1000, "1", true);
  }

  send(packet: Packet): void {
    this.client.session.deliver(encode(packet));
  }

  /** The socket has left; pending acknowledgements fail. Answers whether it had ever been connected. */
  end(): boolean {
    const wasConnected = this.#stage === "connected";
    this.#stage = "gone";
    for (const { reject, timer } of this.#acks?.values() ?? []) {
      clearTimeout(timer);
      reject(new AckFailed("disconnected"));
    }
    this.#acks = undefined;
    return wasConnected;
  }

  #takeAck(id: number): PendingAck | undefined {
    const ack = this.#acks?.get(id);
    if (ack === undefined) return undefined;
    clearTimeout(ack.timer);
    this.#acks?.delete(id);
    return ack;
  }

  #persist(rollBack: () => void): void {
    if (this.#stage !== "connected") return;
    try {
      this.client.session.persist();
    } catch (error) {
      rollBack();
      throw error;
    }
  }
}
