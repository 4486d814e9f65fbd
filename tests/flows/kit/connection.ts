import { DOWN, type DownBody, type DownEvent } from "@lescopains/protocol/down";
import { UP, type UpAnswer, type UpEvent } from "@lescopains/protocol/up";
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import * as v from "valibot";
import type { Person } from "./people.ts";
import type { Place } from "./place.ts";
import { RefusedError } from "./rest.ts";
import { waitFor } from "./wait.ts";

/** One event as it arrived. `Received` says in which order, on this connection. */
export type Received = { [E in DownEvent]: { readonly event: E; readonly body: DownBody<E> } }[DownEvent];

export interface Closed {
  /** The client's own word: `io server disconnect`, `transport close`, `ping timeout` … */
  readonly reason: string;
  /** Of the WebSocket's close frame, where there was one. */
  readonly code: number | undefined;
  readonly text: string | undefined;
}

export type ConnectOptions = Partial<ManagerOptions & SocketOptions>;

type Granted<E extends UpEvent> = Extract<UpAnswer<E>, { ok: true }>;

function closeFrame(details: unknown): { code: number | undefined; text: string | undefined } {
  const context = typeof details === "object" && details !== null && "context" in details ? details.context : undefined;
  if (typeof context !== "object" || context === null || !("code" in context) || typeof context.code !== "number") {
    return { code: undefined, text: undefined };
  }
  return { code: context.code, text: "reason" in context ? String(context.reason) : undefined };
}

/**
 * The official socket.io-client, and a record of all that it received. Every event and every acknowledgement is parsed with the
 * contract's schema: `close` throws when one did not fit.
 */
export class Connection {
  readonly socket: Socket;
  readonly received: Received[] = [];
  readonly closes: Closed[] = [];
  /** Refusals of the connection, by the code in their `data`. */
  readonly refusals: string[] = [];
  /** Used at each (re)connection. */
  token: string;
  /** The device it speaks for, used likewise. */
  deviceId: number | undefined;
  readonly #violations: string[] = [];

  constructor(url: string, token: string, options: ConnectOptions = {}, deviceId?: number) {
    this.token = token;
    this.deviceId = deviceId;
    this.socket = io(url, {
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 500,
      ...options,
      auth: (give) => give({ token: this.token, ...(this.deviceId === undefined ? {} : { deviceId: this.deviceId }) }),
    });
    this.socket.onAny((event: string, body: unknown) => this.#take(event, body));
    this.socket.on("disconnect", (reason, details) => this.closes.push({ reason, ...closeFrame(details) }));
    this.socket.on("connect_error", (error) => {
      const data: unknown = "data" in error ? error.data : undefined;
      this.refusals.push(
        typeof data === "object" && data !== null && "code" in data ? String(data.code) : error.message,
      );
    });
  }

  #take(event: string, body: unknown): void {
    if (!Object.hasOwn(DOWN, event)) {
      this.#violations.push(`unknown event ${event}`);
      return;
    }
    const parsed = v.safeParse(DOWN[event as DownEvent], body);
    if (!parsed.success) this.#violations.push(`${event} does not fit: ${v.summarize(parsed.issues)}`);
    this.received.push({ event, body: parsed.success ? parsed.output : body } as Received);
  }

  /** Bodies of all events of one kind, in the order they came. */
  of<E extends DownEvent>(event: E): DownBody<E>[] {
    return this.received.filter((one) => one.event === event).map(({ body }) => body as DownBody<E>);
  }

  /** The first event of a kind, past or to come, that satisfies `matches`. */
  until<E extends DownEvent>(
    event: E,
    matches: (body: DownBody<E>) => boolean = () => true,
    timeoutMs?: number,
  ): Promise<NonNullable<DownBody<E>>> {
    return waitFor(`an event ${event}`, () => this.of(event).find((body) => matches(body)), timeoutMs);
  }

  /** Sends an event and answers its acknowledgement. */
  async ask<E extends UpEvent>(
    event: E,
    body: v.InferInput<(typeof UP)[E]["body"]>,
    timeoutMs = 20_000,
  ): Promise<UpAnswer<E>> {
    const answer: unknown = await this.socket.timeout(timeoutMs).emitWithAck(event, body);
    return v.parse(UP[event].answer, answer);
  }

  /** As `ask`, for what must be granted: throws a `RefusedError` otherwise. */
  async must<E extends UpEvent>(event: E, body: v.InferInput<(typeof UP)[E]["body"]>): Promise<Granted<E>> {
    const answer = await this.ask(event, body);
    if (!answer.ok) throw new RefusedError(event, answer.error);
    return answer as Granted<E>;
  }

  /** Closes for good. Throws when something that arrived did not fit the contract. */
  close(): void {
    this.socket.disconnect();
    if (this.#violations.length > 0) throw new Error(this.#violations.join("\n"));
  }
}

/** Connects a person; resolves after `ready`. WebSocket only unless `options` say otherwise, which saves three requests. */
export async function connect(
  place: Pick<Place, "url">,
  person: Pick<Person, "token"> & { readonly deviceId?: number },
  options: ConnectOptions = {},
): Promise<Connection> {
  const connection = new Connection(
    place.url,
    person.token,
    { transports: ["websocket"], ...options },
    person.deviceId,
  );
  try {
    await connection.until("ready");
  } catch (error) {
    connection.socket.disconnect();
    throw new Error(`no ready: ${connection.refusals.join(", ")} ${JSON.stringify(connection.closes)}`, {
      cause: error,
    });
  }
  return connection;
}
