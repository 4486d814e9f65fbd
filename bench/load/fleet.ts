import type { World } from "../world.ts";
import { Generator } from "./generator.ts";
import type { Pace, Server } from "./protocol.ts";

/** Of how many connections come messages. Enough that no sender meets the edge's flood limit of 50 frames a second. */
const senderCount = 20;

export interface RunOptions {
  readonly pace: Pace;
  readonly durationMs: number;
  readonly channelIds: readonly string[];
}

export interface RunResult {
  readonly messages: number;
  readonly refused: number;
  readonly delivered: number;
  readonly lost: number;
  readonly doubled: number;
  readonly ackUs: number[];
  readonly deliveryUs: number[];
  /** First to last delivery. */
  readonly spanS: number;
}

/**
 * All the clients of a server: a process for those who send, so that acknowledgements are timed by a process that has little
 * else to do, and one for those who only receive.
 */
export class Fleet {
  readonly #senders = new Generator();
  readonly #receivers = new Generator();
  #lastRun = 0;

  /** Connects `count` people of the world, senders among them; resolves when all have had their `ready`. */
  async connect(server: Server, world: World, count: number): Promise<{ connectedMs: number }> {
    const tokens = await world.tokens(count);
    const [senders, receivers] = await Promise.all([
      this.#senders.ask({ kind: "connect", server, tokens: tokens.slice(0, senderCount) }),
      this.#receivers.ask({ kind: "connect", server, tokens: tokens.slice(senderCount) }),
    ]);
    return { connectedMs: Math.max(senders.connectedMs, receivers.connectedMs) };
  }

  /** Sends messages, and resolves when all have arrived everywhere (or nothing more comes). */
  async run({ pace, durationMs, channelIds }: RunOptions): Promise<RunResult> {
    const run = ++this.#lastRun;
    await Promise.all([this.#senders.ask({ kind: "open", run }), this.#receivers.ask({ kind: "open", run })]);
    const { messages, refused, ackUs } = await this.#senders.ask({ kind: "send", run, pace, durationMs, channelIds });
    const books = await Promise.all([
      this.#senders.ask({ kind: "settle", messages, refused }),
      this.#receivers.ask({ kind: "settle", messages, refused }),
    ]);
    const sum = (pick: (book: (typeof books)[number]) => number): number =>
      books.reduce((total, book) => total + pick(book), 0);
    return {
      messages,
      refused: refused.length,
      delivered: sum((book) => book.delivered),
      lost: sum((book) => book.lost),
      doubled: sum((book) => book.doubled),
      ackUs,
      deliveryUs: books.flatMap((book) => book.deliveryUs),
      spanS: (Math.max(...books.map((book) => book.lastUs)) - Math.min(...books.map((book) => book.firstUs))) / 1e6,
    };
  }

  async disconnect(): Promise<void> {
    await Promise.all([this.#senders.ask({ kind: "disconnect" }), this.#receivers.ask({ kind: "disconnect" })]);
  }

  stop(): void {
    this.#senders.stop();
    this.#receivers.stop();
  }
}
