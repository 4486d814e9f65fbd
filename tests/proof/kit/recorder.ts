import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";
import { readFrames } from "./frames.ts";

/** Who said what is on the wire. */
export type Side = "page" | "server";

/** A text frame of a socket. */
export interface Frame {
  readonly side: Side;
  readonly text: string;
  /** Numbers the sockets, in order of their opening. */
  readonly socket: number;
}

/** Stands before the edge and keeps every byte that crosses, both ways, uncompressed and unmasked. */
export interface Recorder {
  /** Where pages go instead of the edge. */
  readonly url: string;
  /** Heads and bodies of HTTP, and what the sockets carried. */
  readonly bytes: () => readonly Buffer[];
  readonly frames: readonly Frame[];
  /** The first frame from now on that `fits`, told before it is passed on. */
  readonly next: (fits: (frame: Frame) => boolean) => Promise<Frame>;
  readonly close: () => Promise<void>;
}

/**
 * Starts a recorder in front of `target`. What would hide the content from it is not asked for: `Accept-Encoding`, and the sockets'
 * compression.
 */
export async function record(target: string): Promise<Recorder> {
  const { hostname, port } = new URL(target);
  const recorded: Buffer[] = [];
  const frames: Frame[] = [];
  const waiting = new Set<{ readonly fits: (frame: Frame) => boolean; readonly found: (frame: Frame) => void }>();
  const open = new Set<Duplex>();
  let sockets = 0;

  function headOf({ method, url, statusCode, rawHeaders }: IncomingMessage): void {
    recorded.push(Buffer.from([method ?? statusCode, url, ...rawHeaders].join("\n")));
  }

  function keep(stream: IncomingMessage): void {
    headOf(stream);
    const chunks: Buffer[] = [];
    // Whole bodies: a word may lie across two pieces.
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("close", () => recorded.push(Buffer.concat(chunks)));
  }

  /** Takes the frames of one direction apart beside the stream itself. */
  function tap(side: Side, socket: number): (chunk: Buffer) => void {
    return readFrames((message) => {
      recorded.push(message);
      const frame = { side, socket, text: message.toString() };
      frames.push(frame);
      for (const one of waiting) {
        if (!one.fits(frame)) continue;
        waiting.delete(one);
        one.found(frame);
      }
    });
  }

  const server = createServer((asked, answer) => {
    keep(asked);
    const headers = { ...asked.headers, "accept-encoding": "identity" };
    const passed = request({ hostname, port, method: asked.method, path: asked.url, headers }, (given) => {
      keep(given);
      answer.writeHead(given.statusCode ?? 502, given.rawHeaders);
      given.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    answer.on("close", () => passed.destroy());
    asked.pipe(passed);
  });
  server.on("upgrade", (asked: IncomingMessage, page: Duplex, head: Buffer) => {
    sockets += 1;
    headOf(asked);
    const edge = connect(Number(port), hostname);
    const lines = asked.rawHeaders.flatMap((name, at, all) =>
      at % 2 === 1 || name.toLowerCase() === "sec-websocket-extensions" ? [] : [`${name}: ${all[at + 1]}`],
    );
    edge.write([`${asked.method} ${asked.url} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
    edge.write(head);
    const fromPage = tap("page", sockets);
    const fromServer = tap("server", sockets);
    let answered: Buffer | undefined = Buffer.alloc(0);
    page.on("data", (chunk: Buffer) => {
      fromPage(chunk);
      edge.write(chunk);
    });
    edge.on("data", (chunk: Buffer) => {
      if (answered === undefined) fromServer(chunk);
      else {
        answered = Buffer.concat([answered, chunk]);
        const end = answered.indexOf("\r\n\r\n");
        if (end >= 0) {
          recorded.push(answered.subarray(0, end));
          if (answered.length > end + 4) fromServer(answered.subarray(end + 4));
          answered = undefined;
        }
      }
      page.write(chunk);
    });
    for (const [one, other] of [
      [page, edge],
      [edge, page],
    ] as const) {
      open.add(one);
      one.on("error", () => other.destroy());
      one.on("end", () => other.end());
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bytes: () => recorded,
    frames,
    next: (fits) => new Promise((found) => void waiting.add({ fits, found })),
    async close() {
      for (const one of open) one.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
