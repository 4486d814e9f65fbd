import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

/** What a service was asked. */
export interface Echo {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Of the body. */
  readonly bytes: number;
}

export interface EchoService {
  /** `127.0.0.1:<port>` */
  readonly address: string;
  stop(): Promise<void>;
}

/** A service that reads all it is sent and answers what it was: an `Echo`, under `/sfu/long` a long one, under `/sfu/cut` half of one. */
export async function startEcho(): Promise<EchoService> {
  const server = createServer(async (request, response) => {
    let bytes = 0;
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) bytes += chunk.byteLength;
    } catch {
      // Cut off: nobody waits for an answer.
      return;
    }
    const { url: path = "", headers } = request;
    if (path.startsWith("/sfu/cut")) {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => response.destroy());
      return;
    }
    const padding = path === "/sfu/long" ? " ".repeat(4_096) : "";
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ path, headers, bytes } satisfies Echo) + padding);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
