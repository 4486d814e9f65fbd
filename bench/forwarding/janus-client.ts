import { once } from "node:events";
import * as v from "valibot";
import { WebSocket } from "ws";

const Reply = v.object({
  janus: v.string(),
  transaction: v.optional(v.string()),
  data: v.optional(v.object({ id: v.number() })),
  error: v.optional(v.object({ reason: v.string() })),
  plugindata: v.optional(v.object({ data: v.looseObject({ error: v.optional(v.string()) }) })),
  jsep: v.optional(v.object({ type: v.picklist(["offer", "answer"]), sdp: v.string() })),
});
type Reply = v.InferOutput<typeof Reply>;

export interface Jsep {
  readonly type: "offer" | "answer";
  readonly sdp: string;
}

const plugin = "janus.plugin.videoroom";
const answerTimeoutMs = 20_000;

/** A person's session with a Janus, by its WebSocket API, and in it one handle of the videoroom. */
export class JanusClient {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, (reply: Reply) => void>();
  readonly #events = new Map<string, () => void>();
  #session: number | undefined;
  #handle: number | undefined;
  #lastTransaction = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => {
      const reply = v.parse(Reply, JSON.parse(data.toString("utf8")));
      // An acknowledgement says that the answer will come.
      if (reply.janus === "ack") return;
      if (reply.transaction === undefined) this.#events.get(reply.janus)?.();
      else this.#waiting.get(reply.transaction)?.(reply);
    });
  }

  static async open(url: string): Promise<JanusClient> {
    const socket = new WebSocket(url, "janus-protocol");
    await once(socket, "open");
    const client = new JanusClient(socket);
    client.#session = (await client.#ask({ janus: "create" })).data?.id;
    client.#handle = (await client.#ask({ janus: "attach", plugin })).data?.id;
    return client;
  }

  /** A request to the videoroom. Answers the session description that came with its answer, if one did. */
  async request(
    body: { readonly request: string; readonly [name: string]: unknown },
    jsep?: Jsep,
  ): Promise<Jsep | undefined> {
    const reply = await this.#ask({ janus: "message", body, ...(jsep === undefined ? {} : { jsep }) });
    const error = reply.plugindata?.data.error;
    if (error !== undefined) throw new Error(`Janus refuses "${body.request}": ${error}`);
    return reply.jsep;
  }

  /** Resolves when Janus next tells this of its own accord: `webrtcup`, say. */
  until(event: string): Promise<void> {
    return new Promise((resolve) => {
      this.#events.set(event, resolve);
    });
  }

  async #ask(message: { readonly janus: string; readonly [name: string]: unknown }): Promise<Reply> {
    this.#lastTransaction += 1;
    const transaction = String(this.#lastTransaction);
    const reply = await new Promise<Reply>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Janus does not answer "${message.janus}"`)), answerTimeoutMs);
      this.#waiting.set(transaction, (answer) => {
        clearTimeout(timer);
        this.#waiting.delete(transaction);
        resolve(answer);
      });
      const to = { session_id: this.#session, handle_id: this.#handle };
      this.#socket.send(JSON.stringify({ ...message, ...to, transaction }));
    });
    if (reply.janus === "error") throw new Error(`Janus refuses "${message.janus}": ${reply.error?.reason}`);
    return reply;
  }

  close(): void {
    this.#socket.terminate();
  }
}
