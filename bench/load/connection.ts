import type { LookupFunction } from "node:net";
import { WebSocket } from "ws";
import { PERIODS } from "@lescopains/protocol/limits";
import type { Server } from "./protocol.ts";
import { type Stamp, StampReader } from "./stamp.ts";

const connectTimeoutMs = 60_000;
const newMessage = Buffer.from(`42["message:new",`);
const ready = `42["ready",`;

const stamps = new StampReader();

const thisMachine: LookupFunction = (_name, { all }, found) =>
  all === true ? found(null, [{ address: "127.0.0.1", family: 4 }]) : found(null, "127.0.0.1", 4);

/**
 * One Socket.IO v5 client, spoken by hand over a raw WebSocket: a thousand of them must cost less than what is measured.
 */
export class Connection {
  readonly #ws: WebSocket;
  readonly #acks = new Map<number, (ok: boolean) => void>();
  readonly #onMessage: (stamp: Stamp) => void;
  #lastAckId = 0;
  #pings: ReturnType<typeof setInterval> | undefined;

  private constructor(ws: WebSocket, onMessage: (stamp: Stamp) => void) {
    this.#ws = ws;
    this.#onMessage = onMessage;
  }

  /** Resolves at `ready`; rejects when the server refuses or closes, or takes longer than a minute. */
  static async open({ url, ca }: Server, token: string, onMessage: (stamp: Stamp) => void): Promise<Connection> {
    const address = `${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`;
    const ws = new WebSocket(address, {
      perMessageDeflate: false,
      skipUTF8Validation: true,
      ...(ca === undefined ? {} : { ca, lookup: thisMachine }),
    });
    const connection = new Connection(ws, onMessage);
    const opened = Promise.withResolvers<undefined>();
    const timer = setTimeout(
      () => opened.reject(new Error(`no ready within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    ws.on("error", opened.reject);
    ws.on("close", (code, reason) => {
      opened.reject(new Error(`closed with ${code} ${reason.toString()}`));
      connection.#end();
    });
    ws.on("message", (frame: Buffer) => {
      const text = frame.toString("latin1", 0, ready.length);
      if (text.startsWith("0{")) ws.send(`40${JSON.stringify({ token })}`);
      else if (text.startsWith("44")) opened.reject(new Error(`refused: ${frame.toString()}`));
      else if (text === ready) opened.resolve(undefined);
    });
    try {
      await opened.promise;
    } catch (error) {
      ws.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    ws.removeAllListeners("message");
    ws.on("message", (frame: Buffer) => connection.#receive(frame));
    connection.#startPings();
    return connection;
  }

  get isOpen(): boolean {
    return this.#ws.readyState === WebSocket.OPEN;
  }

  /** Resolves with whether the server said `ok`; false too when the connection ends first. */
  send(event: string, body: unknown): Promise<boolean> {
    const id = ++this.#lastAckId;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#acks.set(id, resolve);
    this.#ws.send(`42${id}${JSON.stringify([event, body])}`);
    return promise;
  }

  close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#ws.readyState === WebSocket.CLOSED) return Promise.resolve();
    this.#ws.once("close", () => resolve());
    this.#ws.close();
    const timer = setTimeout(() => this.#ws.terminate(), 2_000);
    return promise.finally(() => clearTimeout(timer));
  }

  /** As the product's client: a sign of life every 30 s, the first at a random moment so that a thousand spread. */
  #startPings(): void {
    const ping = (): void => {
      if (this.isOpen) this.#ws.send(`42["presence:ping"]`);
    };
    this.#pings = setTimeout(() => {
      ping();
      this.#pings = setInterval(ping, PERIODS.presencePingMs);
    }, Math.random() * PERIODS.presencePingMs);
  }

  #receive(frame: Buffer): void {
    if (frame.length === 1) {
      if (frame[0] === 0x32) this.#ws.send("3");
      return;
    }
    if (frame[1] === 0x33) {
      this.#acknowledge(frame.toString());
    } else if (frame.compare(newMessage, 0, newMessage.length, 0, newMessage.length) === 0) {
      const stamp = stamps.read(frame);
      if (stamp !== undefined) this.#onMessage(stamp);
    }
  }

  /** `43<id>[{"ok":true,…}]` */
  #acknowledge(text: string): void {
    const at = text.indexOf("[");
    const id = Number(text.slice(2, at));
    this.#acks.get(id)?.(text.startsWith(`{"ok":true`, at + 1));
    this.#acks.delete(id);
  }

  #end(): void {
    clearTimeout(this.#pings);
    for (const resolve of this.#acks.values()) resolve(false);
    this.#acks.clear();
  }
}
