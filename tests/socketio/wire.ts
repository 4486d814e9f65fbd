/** Clients that speak raw Engine.IO frames, so that tests can also break the protocol. */

/** Resolves when `condition` holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

export interface Opening {
  sid: string;
  upgrades: string[];
  pingInterval: number;
  pingTimeout: number;
  maxPayload: number;
}

export type WireFrame = string | ArrayBuffer;

/** A WebSocket whose frames wait in line until they are asked for. */
export class Wire {
  readonly socket: WebSocket;
  readonly frames: WireFrame[] = [];
  closed: { code: number; reason: string } | undefined;

  constructor(url: string, query: string) {
    this.socket = new WebSocket(`${url.replace("http", "ws")}/${query}`);
    this.socket.binaryType = "arraybuffer";
    this.socket.addEventListener("message", ({ data }) => this.frames.push(data as WireFrame));
    this.socket.addEventListener("close", ({ code, reason }) => (this.closed = { code, reason }));
  }

  send(...frames: (string | ArrayBuffer | Uint8Array<ArrayBuffer>)[]): void {
    for (const frame of frames) this.socket.send(frame);
  }

  async opened(): Promise<void> {
    await until(() => this.socket.readyState !== WebSocket.CONNECTING);
  }

  /** The next frame, whatever it is. */
  async next(): Promise<WireFrame> {
    await until(() => this.frames.length > 0 || this.isEnding);
    const frame = this.frames.shift();
    if (frame === undefined) throw new Error(`the socket closed: ${JSON.stringify(this.closed)}`);
    return frame;
  }

  /** The next frame, which must be text. */
  async text(): Promise<string> {
    const frame = await this.next();
    if (typeof frame !== "string") throw new Error("a binary frame where text was expected");
    return frame;
  }

  /** The Engine.IO handshake. */
  async opening(): Promise<Opening> {
    const frame = await this.text();
    if (!frame.startsWith("0")) throw new Error("not an open packet");
    return JSON.parse(frame.slice(1)) as Opening;
  }

  /** Joins a namespace and answers the id of its socket. */
  async connect(namespace = "/", auth?: unknown): Promise<string> {
    const prefix = namespace === "/" ? "" : `${namespace},`;
    this.send(`40${prefix}${auth === undefined ? "" : JSON.stringify(auth)}`);
    const frame = await this.text();
    if (!frame.startsWith(`40${prefix}`)) throw new Error(`refused: ${frame}`);
    return (JSON.parse(frame.slice(2 + prefix.length)) as { sid: string }).sid;
  }

  /** Code and reason of the close, once the connection is gone. */
  async ended(): Promise<{ code: number; reason: string }> {
    await until(() => this.closed !== undefined);
    return this.closed ?? { code: 0, reason: "" };
  }

  /** True from the moment the server's close frame has arrived. */
  get isEnding(): boolean {
    return this.socket.readyState >= WebSocket.CLOSING;
  }

  close(): void {
    this.socket.close();
  }
}

const websocketQuery = "socket.io/?EIO=4&transport=websocket";
const pollingQuery = "socket.io/?EIO=4&transport=polling";

/** An Engine.IO session over WebSocket, its handshake read. */
export async function openWire(url: string): Promise<Wire> {
  const wire = new Wire(url, websocketQuery);
  await wire.opening();
  return wire;
}

/** A candidate to take over a polling session. */
export function upgradeWire(url: string, sid: string): Wire {
  return new Wire(url, `${websocketQuery}&sid=${sid}`);
}

/** A polling session, one request at a time. */
export class PollingWire {
  readonly #url: string;
  readonly opening: Opening;

  private constructor(url: string, opening: Opening) {
    this.#url = `${url}/${pollingQuery}&sid=${opening.sid}`;
    this.opening = opening;
  }

  static async open(url: string): Promise<PollingWire> {
    const response = await fetch(`${url}/${pollingQuery}`);
    const body = await response.text();
    if (!body.startsWith("0")) throw new Error(`no open packet: ${response.status} ${body}`);
    return new PollingWire(url, JSON.parse(body.slice(1)) as Opening);
  }

  get(signal?: AbortSignal): Promise<Response> {
    return fetch(this.#url, signal === undefined ? {} : { signal });
  }

  post(body: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.#url, { method: "POST", body, headers });
  }

  /** The packets of the next response. */
  async packets(): Promise<string[]> {
    const response = await this.get();
    if (response.status !== 200) throw new Error(`poll answered ${response.status}`);
    return (await response.text()).split("\u001E");
  }

  /** Joins the main namespace. */
  async connect(auth: unknown = {}): Promise<void> {
    await this.post(`40${JSON.stringify(auth)}`);
    const packets = await this.packets();
    if (!packets[0]?.startsWith("40")) throw new Error(`refused: ${packets.join(" ")}`);
  }
}
