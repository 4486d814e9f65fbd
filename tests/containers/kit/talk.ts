import { randomUUID } from "node:crypto";
import type { ChannelId } from "@lescopains/protocol/ids";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type Connection } from "../../flows/kit/connection.ts";
import { register, type Registered, serverWith, textChannel } from "../../flows/kit/people.ts";
import { granted } from "../../flows/kit/rest.ts";
import { waitFor } from "../../flows/kit/wait.ts";

/** An acknowledgement that takes longer is given up, and the message sent again. */
const answerMs = 500;

/** Someone in a channel of an installation, who says one thing after the other and notes what was acknowledged. */
export class Talker {
  readonly url: string;
  readonly person: Registered;
  readonly channelId: ChannelId;
  readonly acknowledged: string[] = [];
  readonly connection: Connection;
  #last = { sentMs: 0, acknowledgedMs: 0 };
  #talking = true;
  #turn: Promise<void> = Promise.resolve();

  private constructor(url: string, person: Registered, channelId: ChannelId, connection: Connection) {
    this.url = url;
    this.person = person;
    this.channelId = channelId;
    this.connection = connection;
    this.#turn = this.#talk();
  }

  static async start(url: string): Promise<Talker> {
    const person = await register({ url });
    const channel = textChannel(await serverWith({ url }, person));
    return new Talker(url, person, channel.id, await connect({ url }, person));
  }

  /** A message is sent with the same nonce until it is acknowledged, as the client does. */
  async #talk(): Promise<void> {
    while (this.#talking) {
      const sentMs = performance.now();
      const message = { channelId: this.channelId, content: "encore un mot", nonce: randomUUID() };
      while (this.#talking) {
        try {
          const answer = await this.connection.ask("message:send", message, answerMs);
          if (answer.ok) {
            this.acknowledged.push(answer.id);
            this.#last = { sentMs, acknowledgedMs: performance.now() };
            break;
          }
          await sleep(20);
        } catch {
          // No answer in time: what it was sent to is gone.
        }
      }
      await sleep(10);
    }
  }

  /** Resolves when something that was sent after `sinceMs` (performance.now) is acknowledged, with how long that took in ms. */
  async heardAgain(sinceMs: number): Promise<number> {
    await waitFor("an acknowledgement", () => this.#last.sentMs > sinceMs, 60_000);
    return this.#last.acknowledgedMs - sinceMs;
  }

  async stop(): Promise<void> {
    this.#talking = false;
    await this.#turn;
    this.connection.close();
  }

  /** Acknowledged messages that are not in the history, and messages that are there twice. */
  async lost(): Promise<{ readonly missing: string[]; readonly doubled: number }> {
    const acknowledged = [...this.acknowledged];
    const body = { username: this.person.username, password: this.person.password };
    const { accessToken } = await granted(this.url, "login", { body });
    const stored: string[] = [];
    for (let before: string | undefined, hasMore = true; hasMore;) {
      const query = before === undefined ? { limit: "100" } : { limit: "100", before };
      const page = await granted(this.url, "listMessages", {
        token: accessToken,
        params: { id: this.channelId },
        query,
      });
      stored.push(...page.messages.map(({ id }) => id));
      before = String(page.messages.at(-1)?.seq);
      hasMore = page.hasMore;
    }
    const known = new Set(stored);
    return { missing: acknowledged.filter((id) => !known.has(id)), doubled: stored.length - known.size };
  }
}
