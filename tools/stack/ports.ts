import { createServer } from "node:net";
import { OperatorError } from "../operator-error.ts";

function listenOnce(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}

/** A TCP port of the loopback address that nobody listens on right now: `preferred` if that is free. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined) {
    try {
      return await listenOnce(preferred, "127.0.0.1");
    } catch {
      // Taken since: any other will do.
    }
  }
  return listenOnce(0, "127.0.0.1");
}

/** Throws an OperatorError that names the setting if `port` cannot be listened on. Port 0 is always fine. */
export async function assertPortFree(port: number, host: string, setting = "PORT"): Promise<void> {
  try {
    await listenOnce(port, host);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    if (code === "EADDRINUSE") {
      throw new OperatorError(
        `Port ${port} is in use: stop the program that listens there, or choose another with ${setting}=…`,
        {
          cause: error,
        },
      );
    }
    if (code === "EACCES") {
      throw new OperatorError(`Port ${port} needs rights this user lacks: choose one above 1023 with ${setting}=…`, {
        cause: error,
      });
    }
    throw new OperatorError(`Cannot listen on ${host}:${port} (${code}): check HOST and ${setting}`, { cause: error });
  }
}
