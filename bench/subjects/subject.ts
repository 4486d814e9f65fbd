import type { World } from "../world.ts";

/** A server that is measured. */
export interface Subject {
  readonly name: "edge" | "node" | "node, ack first";
  readonly world: World;
  /** Of the running process that holds the sockets. */
  url(): string;
  pid(): number;
  /** Ends the process (if it runs) as a crash would, and starts it anew. Resolves with how long the start took until `/health` said 200. */
  restart(): Promise<{ healthyMs: number }>;
}

const pollMs = 5;
const timeoutMs = 30_000;

/** Waits for `GET /health` → 200. */
export async function untilHealthy(url: string): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline;) {
    try {
      const response = await fetch(`${url}/health`, { headers: { connection: "close" } });
      await response.arrayBuffer();
      if (response.ok) return;
    } catch {
      // Not yet.
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Error(`${url}/health did not answer 200 within ${timeoutMs} ms`);
}
