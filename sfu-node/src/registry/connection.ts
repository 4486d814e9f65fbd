import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { SFU_PERIODS } from "@lescopains/protocol/sfu/limits";
import { type Command, FromEdge, type FromNode, type NodeLoad } from "@lescopains/protocol/sfu/registry";
import type { NodeId } from "@lescopains/protocol/sfu/token";
import { SignJWT } from "jose";
import * as v from "valibot";
import type { Logger } from "../platform/logger.ts";
import { requestIdOf, within } from "../platform/trace.ts";

/** What a node says of itself when it registers; its load and rooms as they are at that moment. */
export type Registration = Omit<Extract<FromNode, { type: "register" }>, "type" | "nonce" | "nodeId">;

export interface RegistryOptions {
  readonly nodeId: NodeId;
  /** `wss://…/sfu-registry`. */
  readonly url: string;
  /** Shared with the edge. */
  readonly secret: string;
  readonly log: Logger;
  readonly registration: () => Registration;
  readonly load: () => { readonly load: NodeLoad; readonly draining: boolean };
  readonly command: (command: Command) => Promise<boolean>;
}

const firstRetryMs = 250;
/** An edge that takes nothing any more is given up; at the next connection it is told everything anew. */
const mostBufferedBytes = 1_048_576;

/**
 * The connection to the edge's registry. Without it calls go on: what happens meanwhile is told by the next registration. Orders are taken only from
 * who has proved that it knows the secret.
 */
export class RegistryConnection {
  readonly #options: RegistryOptions;
  readonly #heartbeat: NodeJS.Timeout;
  #socket: WebSocket | undefined;
  #nonce = "";
  #welcomed = false;
  /** That the edge does not answer was said since it last did. */
  #complained = false;
  #heardMs = 0;
  #retryMs = firstRetryMs;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#heartbeat = setInterval(() => this.beat(), SFU_PERIODS.heartbeatMs);
    this.#heartbeat.unref();
    void this.#connect();
  }

  /** Tells the edge; while there is no connection, nobody. */
  tell(message: FromNode): void {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > mostBufferedBytes) socket.close();
    else socket.send(JSON.stringify(message));
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#retry);
    this.#socket?.close();
  }

  async #connect(): Promise<void> {
    const { nodeId, url, secret, log } = this.#options;
    const token = await new SignJWT()
      .setProtectedHeader({ alg: "HS256" })
      .setIssuer(nodeId)
      .setAudience("sfu-registry")
      .setIssuedAt()
      .setExpirationTime("60s")
      .sign(Buffer.from(secret));
    if (this.#stopped) return;
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    this.#socket = socket;
    this.#welcomed = false;
    this.#heardMs = performance.now();
    this.#nonce = randomBytes(24).toString("base64url");
    socket.addEventListener("open", () => {
      this.tell({ type: "register", nodeId, nonce: this.#nonce, ...this.#options.registration() });
    });
    socket.addEventListener("message", ({ data }) => {
      if (socket === this.#socket) this.#take(data).catch((error: unknown) => log.error("a command failed", error));
    });
    socket.addEventListener("close", () => this.#lost(socket));
    socket.addEventListener("error", () => this.#lost(socket));
  }

  #lost(socket: WebSocket): void {
    if (socket !== this.#socket || this.#stopped) return;
    this.#socket = undefined;
    if (this.#welcomed) this.#options.log.warn("the edge is lost");
    else if (!this.#complained) {
      this.#complained = true;
      this.#options.log.warn("the edge does not take this node: is it up, is SFU_SECRET the same, is the clock right?");
    }
    this.#retry = setTimeout(() => void this.#connect(), this.#retryMs * (0.5 + Math.random() / 2));
    this.#retry.unref();
    this.#retryMs = Math.min(this.#retryMs * 2, SFU_PERIODS.nodeRetryMs);
  }

  /** Tells load and draining; each second by itself. */
  beat(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    if (performance.now() - this.#heardMs > SFU_PERIODS.nodeDeadMs) {
      socket.close();
      this.#lost(socket);
      return;
    }
    this.tell({ type: "heartbeat", ...this.#options.load() });
  }

  async #take(data: unknown): Promise<void> {
    const { log, command } = this.#options;
    const parsed = v.safeParse(FromEdge, parseJson(data));
    if (!parsed.success) return log.warn("the edge said what this node does not understand");
    this.#heardMs = performance.now();
    const message = parsed.output;
    if (message.type === "welcome") {
      this.#welcomed = this.#isProof(message.proof);
      if (!this.#welcomed) return log.warn("the edge does not know the secret: SFU_SECRET differs");
      this.#retryMs = firstRetryMs;
      this.#complained = false;
      return log.info("registered with the edge");
    }
    if (message.type === "beat" || !this.#welcomed) return;
    await within({ requestId: requestIdOf(message.requestId) }, async () => {
      const found = await command(message);
      log.info("command", { command: message.type, found });
      this.tell({ type: "done", id: message.id, found });
    });
  }

  #isProof(proof: string): boolean {
    const right = createHmac("sha256", this.#options.secret).update(`${this.#options.nodeId} ${this.#nonce}`).digest();
    const given = Buffer.from(proof, "base64url");
    return given.length === right.length && timingSafeEqual(given, right);
  }
}

function parseJson(data: unknown): unknown {
  if (typeof data !== "string") return undefined;
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
