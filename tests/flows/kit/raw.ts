import { WebSocket } from "ws";
import type { Person } from "./people.ts";
import type { Place } from "./place.ts";
import { waitFor } from "./wait.ts";

/** A WebSocket that speaks Engine.IO v4 and Socket.IO v5 by hand, for what the official client would never do. */
export class RawSocket {
  readonly ws: WebSocket;
  readonly frames: string[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  #acks = 0;

  constructor(url: string) {
    this.ws = new WebSocket(`${url.replace(/^http/, "ws")}/socket.io/?EIO=4&transport=websocket`);
    this.ws.binaryType = "nodebuffer";
    this.ws.on("message", (data: Buffer, isBinary) => this.frames.push(isBinary ? "(binary)" : data.toString("utf8")));
    this.ws.on("close", (code, reason) => (this.closed = { code, reason: String(reason) }));
    // A refused or cut connection is reported by `close` too.
    this.ws.on("error", () => undefined);
  }

  /** Joins the main namespace; resolves after `ready`. */
  async join(token: string, deviceId?: number): Promise<void> {
    await this.until((frame) => frame.startsWith("0{"));
    this.ws.send(`40${JSON.stringify({ token, deviceId })}`);
    await this.until((frame) => frame.startsWith('42["ready"'));
  }

  /** The first frame, past or to come, that satisfies `matches`. Throws when the connection closes before. */
  async until(matches: (frame: string) => boolean): Promise<string> {
    const found = (): string | undefined => this.frames.find((frame) => matches(frame));
    await waitFor("a frame", () => this.closed !== undefined || found() !== undefined);
    const frame = found();
    if (frame !== undefined) return frame;
    throw new Error(`closed with ${this.closed?.code} ${this.closed?.reason}`);
  }

  /** Sends an event with JSON that may be anything; answers what the acknowledgement carries. */
  async ask(event: string, bodyJson: string): Promise<unknown> {
    this.#acks += 1;
    const id = this.#acks;
    this.ws.send(`42${id}[${JSON.stringify(event)},${bodyJson}]`);
    const frame = await this.until((one) => one.startsWith(`43${id}[`));
    return (JSON.parse(frame.slice(`43${id}`.length)) as unknown[])[0];
  }

  close(): void {
    this.ws.terminate();
  }
}

/** A raw connection of a person, after `ready`. */
export async function connectRaw(
  place: Pick<Place, "url">,
  person: Pick<Person, "token"> & { readonly deviceId?: number },
): Promise<RawSocket> {
  const raw = new RawSocket(place.url);
  await raw.join(person.token, person.deviceId);
  return raw;
}
