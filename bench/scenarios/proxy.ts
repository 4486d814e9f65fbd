import { setTimeout as sleep } from "node:timers/promises";
import { type Front, startFront } from "../../tests/ops/kit/front.ts";
import type { Fleet, RunOptions } from "../load/fleet.ts";
import { cpuUs, residentKb } from "../measure/process-usage.ts";
import { quantile } from "../measure/quantile.ts";
import { edgeSubject } from "../subjects/edge.ts";
import { onGround } from "../subjects/ground.ts";
import type { Subject } from "../subjects/subject.ts";
import { planWorld } from "../world.ts";
import { crowd, talkPerSecond, type Tools } from "./bench.ts";
import * as metrics from "./metrics.ts";

const ways = ["directly", "behind Caddy"] as const;
type Way = (typeof ways)[number];

const warmUpMs = 2_000;
const talkMs = 10_000;
/** What connecting and leaving stir up has settled by then. */
const settleMs = 1_500;

interface Place {
  readonly tools: Tools;
  readonly fleet: Fleet;
  readonly edge: Subject;
  readonly front: Front;
}

/** A room of 1,000 reached one way; answers the median time to an acknowledgement, in ms. */
async function oneTurn({ tools, fleet, edge, front }: Place, way: Way, seed: number): Promise<number> {
  const { record, signal } = tools;
  const behind = way === "behind Caddy";
  const emptyKb = residentKb(front.pid);
  try {
    const to = behind ? { url: front.url, ca: front.ca } : { url: edge.url() };
    const { connectedMs } = await fleet.connect(to, edge.world, crowd);
    await sleep(settleMs);
    record.add(way, metrics.proxyConnected, "ms", connectedMs);
    if (behind) record.add(way, "memory of Caddy per connection", "kB", (residentKb(front.pid) - emptyKb) / crowd);
    const talk = (durationMs: number): RunOptions => ({
      pace: { kind: "random", perSecond: talkPerSecond, seed },
      durationMs,
      channelIds: edge.world.channelIds.slice(0, 1),
    });
    const run = async (options: RunOptions) => {
      signal.throwIfAborted();
      const result = await fleet.run(options);
      record.add(way, metrics.lost, "count", result.lost);
      record.add(way, metrics.doubled, "count", result.doubled);
      record.add(way, metrics.refused, "count", result.refused);
      return result;
    };
    await run(talk(warmUpMs));
    const before = cpuUs(front.pid);
    const { ackUs, deliveryUs, delivered } = await run(talk(talkMs));
    const ackMs = quantile(ackUs, 0.5) / 1_000;
    record.add(way, metrics.proxyAck("p50"), "ms", ackMs);
    record.add(way, metrics.proxyAck("p99"), "ms", quantile(ackUs, 0.99) / 1_000);
    record.add(way, metrics.proxyDelivery, "ms", quantile(deliveryUs, 0.5) / 1_000);
    if (behind) record.add(way, "CPU of Caddy per delivery", "µs", (cpuUs(front.pid) - before) / delivered);
    return ackMs;
  } finally {
    await fleet.disconnect();
    await sleep(settleMs);
  }
}

/** The same 1,000 people and the same moments, directly (HTTP) and through Caddy (TLS), in pairs that begin with each in turn. */
export function proxy(tools: Tools): Promise<void> {
  const { record, log } = tools;
  return onGround(tools, async ({ stack, jwtSecret, fleet, atEnd }) => {
    const edge = await edgeSubject(stack, jwtSecret, await planWorld());
    const front = await startFront({ edge: new URL(stack.url).host });
    atEnd(() => front.stop());
    const pairs = tools.rounds * 2;
    for (let pair = 1; pair <= pairs; pair += 1) {
      const ackMs: Partial<Record<Way, number>> = {};
      for (const way of pair % 2 === 1 ? ways : ways.toReversed()) {
        log(`proxy: pair ${pair} of ${pairs}, ${way}`);
        ackMs[way] = await oneTurn({ tools, fleet, edge, front }, way, pair);
      }
      const added = (ackMs["behind Caddy"] ?? Number.NaN) - (ackMs.directly ?? Number.NaN);
      record.add("behind Caddy", metrics.proxyAdded, "ms", added);
    }
  });
}
