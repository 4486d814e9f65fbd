import { SFU_EVENTS, type SfuEvent, type SfuEventBody } from "@lescopains/protocol/sfu/events";
import { SFU_REQUESTS, type SfuAnswer, type SfuRequest } from "@lescopains/protocol/sfu/requests";
import type { Snapshot } from "@lescopains/protocol/sfu/room";
import { io, type Socket } from "socket.io-client";
import * as v from "valibot";
import { onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";

type Received = { readonly event: string; readonly body: unknown };
type Answer<R extends SfuRequest> =
  | { readonly ok: true; readonly value: SfuAnswer<R> }
  | { readonly ok: false; readonly code: string; readonly retryAfterMs: number | undefined };

/** The official socket.io-client on a node, and a record of what it received; everything is parsed with the contract's schemas. */
export class Client {
  readonly received: Received[] = [];
  readonly socket: Socket;
  readonly #violations: string[] = [];

  constructor(url: string, auth: object, transports: string[] = ["websocket"], address?: string) {
    const extraHeaders = address === undefined ? {} : { "x-forwarded-for": address };
    this.socket = io(url, {
      path: "/sfu/socket.io",
      auth,
      transports,
      extraHeaders,
      forceNew: true,
      reconnection: false,
    });
    this.socket.onAny((event: string, body: unknown) => {
      if (!Object.hasOwn(SFU_EVENTS, event)) this.#violations.push(event);
      const parsed = v.safeParse(SFU_EVENTS[event as SfuEvent], body);
      if (!parsed.success) this.#violations.push(`${event}: ${v.summarize(parsed.issues)}`);
      this.received.push({ event, body });
    });
  }

  of<E extends SfuEvent>(event: E): SfuEventBody<E>[] {
    return this.received.filter((one) => one.event === event).map(({ body }) => body as SfuEventBody<E>);
  }

  /** The first event of a kind, past or to come. */
  until<E extends SfuEvent>(
    event: E,
    matches: (body: SfuEventBody<E>) => boolean = () => true,
  ): Promise<SfuEventBody<E>> {
    return eventually(() => {
      const found = this.of(event).find((body) => matches(body));
      if (found === undefined) throw new Error(`no ${event} among ${this.received.map((one) => one.event).join(", ")}`);
      return found;
    });
  }

  async ask<R extends SfuRequest>(name: R, body: v.InferInput<(typeof SFU_REQUESTS)[R]["body"]>): Promise<Answer<R>> {
    const answer = await this.askAnything(name, body);
    if (!answer.ok) return answer;
    return { ok: true, value: v.parse(SFU_REQUESTS[name].answer, answer.value) };
  }

  /** As `ask`, for what must be granted. */
  async must<R extends SfuRequest>(
    name: R,
    body: v.InferInput<(typeof SFU_REQUESTS)[R]["body"]>,
  ): Promise<SfuAnswer<R>> {
    const answer = await this.ask(name, body);
    if (!answer.ok) throw new Error(`${name} is refused: ${answer.code}`);
    return answer.value;
  }

  async askAnything(name: string, body: unknown): Promise<Answer<never> | { ok: true; value: unknown }> {
    const answer = (await this.socket.timeout(20_000).emitWithAck(name, body)) as {
      ok: boolean;
      error?: { code: string; retryAfterMs?: number };
    };
    if (answer.ok) return { ok: true, value: answer };
    return { ok: false, code: answer.error?.code ?? "none", retryAfterMs: answer.error?.retryAfterMs };
  }

  get closed(): Promise<unknown> {
    return eventually(() => {
      if (this.socket.connected) throw new Error("still connected");
    });
  }

  close(): void {
    this.socket.disconnect();
    if (this.#violations.length > 0) throw new Error(this.#violations.join("\n"));
  }
}

export interface Joined {
  readonly client: Client;
  readonly ready: Snapshot;
}

export interface JoinOptions {
  readonly resumeKey?: string;
  readonly transports?: string[];
  /** The address a trusted proxy says it comes from: joins are limited by it. */
  readonly address?: string;
  /** Who closes the connection, and when; at the end of the test unless said otherwise. */
  readonly atEnd?: (end: () => void) => void;
}

/** Joins with a token; resolves after `ready`, or rejects with the refusal's code. */
export async function join(
  url: string,
  token: string,
  { resumeKey, transports, address, atEnd = onTestFinished }: JoinOptions = {},
): Promise<Joined> {
  const auth = { token, ...(resumeKey === undefined ? {} : { resumeKey }) };
  const client = new Client(url, auth, transports, address);
  atEnd(() => client.close());
  const refused = new Promise<never>((_, reject) => {
    client.socket.once("connect_error", (error: Error & { data?: { code?: string } }) =>
      reject(new Error(error.data?.code ?? error.message)),
    );
  });
  const ready = await Promise.race([client.until("ready"), refused]);
  return { client, ready };
}
