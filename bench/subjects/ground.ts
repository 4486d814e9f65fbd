import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "../../tools/stack/stack.ts";
import { Fleet } from "../load/fleet.ts";
import type { Tools } from "../scenarios/bench.ts";
import { startEdge } from "./edge.ts";

/** Where servers are measured. */
export interface Ground {
  readonly stack: Stack;
  readonly jwtSecret: string;
  readonly fleet: Fleet;
  /** Stops something else at the end, the latest first. */
  readonly atEnd: (stop: () => Promise<void>) => void;
}

/** The edge in a folder of its own, and a fleet to load it, while something is measured; all of it is gone afterwards, however that ends. */
export async function onGround(
  { log, signal }: Pick<Tools, "log" | "signal">,
  measure: (ground: Ground) => Promise<void>,
): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), "lescopains-bench-"));
  const fleet = new Fleet();
  const abort = (): void => fleet.stop();
  signal.addEventListener("abort", abort, { once: true });
  const stops: (() => Promise<void>)[] = [];
  try {
    const { stack, jwtSecret } = await startEdge({ dataDir, log, signal });
    stops.push(() => stack.stop());
    await measure({ stack, jwtSecret, fleet, atEnd: (stop) => void stops.push(stop) });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    fleet.stop();
    // The edge holds the peers' database: it goes last.
    for (const stop of stops.toReversed()) await stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
