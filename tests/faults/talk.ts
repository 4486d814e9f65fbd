import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Message } from "@lescopains/protocol/entities";
import type { ChannelId } from "@lescopains/protocol/ids";
import { expect } from "vitest";
import { type Connection, connect } from "../flows/kit/connection.ts";
import type { Person } from "../flows/kit/people.ts";
import type { Place } from "../flows/kit/place.ts";
import { waitFor } from "../flows/kit/wait.ts";

/** An acknowledgement that does not come within this time is asked for again. */
const ACK_TIMEOUT_MS = 4_000;
/** Those who are put off come again after this time: sooner than they are told to, and never so often that it is a flood. */
const RETRY_MS = 250;

export interface Acked {
  readonly id: string;
  readonly seq: number;
}

/**
 * A client that keeps its word: what it says stays in its outbox until it is acknowledged and is sent again with the same nonce,
 * after a refusal with `retryAfterMs`, a lost acknowledgement or a new connection. What it hears it keeps by `seq`, and asks `sync`
 * for what it missed.
 */
export class Talker {
  readonly connection: Connection;
  readonly acked = new Map<string, Acked>();
  readonly heard = new Map<number, Message>();
  /** Codes of refusals that said when to come again. */
  readonly putOff: string[] = [];
  readonly #channelId: ChannelId;
  readonly #outbox = new Map<string, string>();
  /** What has a try under way. */
  readonly #sending = new Set<string>();
  #syncing = false;

  constructor(connection: Connection, channelId: ChannelId) {
    this.connection = connection;
    this.#channelId = channelId;
    connection.socket.on("message:new", (message: Message) => {
      if (message.channelId === channelId) this.#keep([message]);
    });
    connection.socket.on("ready", () => {
      for (const nonce of this.#outbox.keys()) void this.#send(nonce);
      void this.catchUp();
    });
  }

  /** Nothing is waiting for its acknowledgement. */
  get isDone(): boolean {
    return this.#outbox.size === 0;
  }

  /** Everything up to here has been heard. */
  get heardUpTo(): number {
    let seq = 0;
    while (this.heard.has(seq + 1)) seq += 1;
    return seq;
  }

  say(content: string): void {
    const nonce = randomUUID();
    this.#outbox.set(nonce, content);
    void this.#send(nonce);
  }

  /** Asks `sync` until there is no more. Without a connection it gives up: the next `ready` begins again. */
  async catchUp(): Promise<void> {
    if (this.#syncing) return;
    this.#syncing = true;
    try {
      for (let more = true; more;) {
        const answer = await this.connection.ask(
          "sync",
          { channels: { [this.#channelId]: this.heardUpTo } },
          ACK_TIMEOUT_MS,
        );
        if (!answer.ok) {
          await sleep(RETRY_MS);
          continue;
        }
        this.#keep(answer.channels[this.#channelId]?.messages ?? []);
        ({ more } = answer);
      }
    } catch (error) {
      // Cut off, or something heard was not what it had been.
      if (error instanceof Error && error.name === "AssertionError") throw error;
    } finally {
      this.#syncing = false;
    }
  }

  async #send(nonce: string): Promise<void> {
    if (this.#sending.has(nonce)) return;
    this.#sending.add(nonce);
    try {
      await this.#sendUntilAcknowledged(nonce);
    } finally {
      this.#sending.delete(nonce);
    }
  }

  /** Without a connection it gives up: the next `ready` begins again. */
  async #sendUntilAcknowledged(nonce: string): Promise<void> {
    for (let content = this.#outbox.get(nonce); content !== undefined; content = this.#outbox.get(nonce)) {
      if (!this.connection.socket.connected) return;
      try {
        const body = { channelId: this.#channelId, content, nonce };
        const answer = await this.connection.ask("message:send", body, ACK_TIMEOUT_MS);
        if (answer.ok) {
          this.#acknowledged(nonce, answer);
          return;
        }
        expect(answer.error).toMatchObject({ code: "unavailable", retryAfterMs: expect.any(Number) as number });
        this.putOff.push(answer.error.code);
        await sleep(RETRY_MS);
      } catch (error) {
        if (error instanceof Error && error.name === "AssertionError") throw error;
      }
    }
  }

  #acknowledged(nonce: string, { id, seq }: Acked): void {
    const before = this.acked.get(nonce);
    // A retry that was under way beside is answered with the first result.
    if (before !== undefined) expect({ id, seq }).toEqual(before);
    this.acked.set(nonce, { id, seq });
    this.#outbox.delete(nonce);
  }

  #keep(messages: readonly Message[]): void {
    for (const message of messages) {
      const before = this.heard.get(message.seq);
      if (before !== undefined) expect(message, `seq ${message.seq} is the same message each time`).toEqual(before);
      this.heard.set(message.seq, message);
    }
    if (messages.length > 0 && this.heardUpTo < this.heard.size) void this.catchUp();
  }
}

export async function talkers(place: Place, people: readonly Person[], channelId: ChannelId): Promise<Talker[]> {
  return Promise.all(people.map(async (person) => new Talker(await connect(place, person), channelId)));
}

/** Everyone's outbox is empty, everyone has heard everything, and PostgreSQL has exactly that, each message once. */
export async function expectAgreement(
  place: Place,
  channelId: ChannelId,
  everyone: readonly Talker[],
  said: number,
): Promise<void> {
  await waitFor("all acknowledgements", () => everyone.every(({ isDone }) => isDone), 60_000);
  const { rows } = await place.sql.query<{ id: string; seq: number; nonce: string; content: string }>(
    "SELECT id, seq::integer, nonce, content FROM messages WHERE channel_id = $1 ORDER BY seq",
    [channelId],
  );
  // Everything said was acknowledged and stored; nothing is stored twice, and no number is missing.
  expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: said }, (_, index) => index + 1));
  const byNonce = new Map(rows.map((row) => [row.nonce, row]));
  expect(byNonce.size).toBe(said);
  for (const { acked } of everyone) {
    for (const [nonce, { id, seq }] of acked) expect(byNonce.get(nonce)).toMatchObject({ id, seq });
  }
  await waitFor(
    "everyone to have heard everything",
    async () => {
      await Promise.all(everyone.filter((one) => one.heardUpTo < said).map((one) => one.catchUp()));
      return everyone.every(({ heardUpTo }) => heardUpTo >= said);
    },
    60_000,
  );
  for (const { heard } of everyone) {
    expect(
      [...heard.values()].toSorted((a, b) => a.seq - b.seq).map(({ id, seq, content }) => ({ id, seq, content })),
    ).toEqual(rows.map(({ id, seq, content }) => ({ id, seq, content })));
  }
}
