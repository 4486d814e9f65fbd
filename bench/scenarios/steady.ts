import { PERIODS } from "@lescopains/protocol/limits";
import { quantile } from "../measure/quantile.ts";
import { type Bench, crowd, type Scenario, talkPerSecond } from "./bench.ts";
import { measuredRun } from "./measured-run.ts";
import * as metrics from "./metrics.ts";
import type { Subject } from "../subjects/subject.ts";

/** Long enough for every client's sign of life. */
const edgeMs = PERIODS.presencePingMs + 1_000;
/** The peer is only there to compare with. */
const peerMs = 8_000;

async function oneSubject(bench: Bench, subject: Subject, durationMs: number): Promise<void> {
  try {
    await subject.restart();
    await bench.fleet.connect({ url: subject.url() }, subject.world, crowd);
    const { channelIds } = subject.world;
    const pace = { kind: "random", perSecond: talkPerSecond, seed: 1 } as const;
    await measuredRun(bench, subject, { pace, durationMs: 2_000, channelIds });
    const { cpuUs, postgresCpuUs, wallUs, ackUs } = await measuredRun(bench, subject, { pace, durationMs, channelIds });
    bench.record.add(subject.name, metrics.steadyCpu, "%", (100 * cpuUs) / wallUs);
    bench.record.add(subject.name, "PostgreSQL CPU, the same", "%", (100 * postgresCpuUs) / wallUs);
    bench.record.add(subject.name, "send → ack p50, the same", "ms", quantile(ackUs, 0.5) / 1_000);
    bench.record.add(subject.name, "send → ack p99, the same", "ms", quantile(ackUs, 0.99) / 1_000);
  } finally {
    await bench.fleet.disconnect();
  }
}

/** A whole community for half a minute: 1,000 people connected, all of them reading all of 20 channels, 10 messages a second in all. */
export const steady: Scenario = async (bench) => {
  for (const subject of bench.subjects) {
    const durationMs = subject.name === "edge" ? edgeMs : peerMs;
    bench.log(`steady: ${subject.name}, ${durationMs / 1_000} s`);
    await oneSubject(bench, subject, durationMs);
  }
};
