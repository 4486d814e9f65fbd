import { setTimeout as sleep } from "node:timers/promises";
import type { RunOptions } from "../load/fleet.ts";
import { residentKb } from "../measure/process-usage.ts";
import { quantile } from "../measure/quantile.ts";
import type { Subject } from "../subjects/subject.ts";
import { type Bench, crowd, type Scenario, talkPerSecond } from "./bench.ts";
import { measuredRun } from "./measured-run.ts";
import * as metrics from "./metrics.ts";

const rooms = [100, crowd];
const warmUpMs = 1_500;
const talkMs = 7_000;
const saturateMs = 2_000;
/** What connecting leaves behind is collected, or not, by then. */
const settleMs = 1_500;
const outstandingPerSender = 2;

/** Starts the subject anew and fills a room; records what a connection costs in memory. */
async function fillRoom(bench: Bench, subject: Subject, receivers: number): Promise<void> {
  await subject.restart();
  await sleep(settleMs / 2);
  const emptyKb = residentKb(subject.pid());
  const { connectedMs } = await bench.fleet.connect({ url: subject.url() }, subject.world, receivers);
  await sleep(settleMs);
  if (receivers < crowd) return;
  bench.record.add(subject.name, metrics.memoryPerSocket, "kB", (residentKb(subject.pid()) - emptyKb) / receivers);
  bench.record.add(subject.name, `time to connect ${receivers}`, "ms", connectedMs);
}

/** As much as the subject takes: each sender's next message leaves when an earlier one is acknowledged. */
async function saturate(bench: Bench, subject: Subject, receivers: number): Promise<void> {
  const add = (metric: string, unit: "ms" | "µs" | "/s", value: number): void =>
    bench.record.add(subject.name, `${metric}, ${receivers} receivers`, unit, value);
  const full = await measuredRun(bench, subject, {
    pace: { kind: "saturate", outstandingPerSender },
    durationMs: saturateMs,
    channelIds: subject.world.channelIds.slice(0, 1),
  });
  add("saturated: deliveries", "/s", full.delivered / full.spanS);
  add("saturated: messages", "/s", full.messages / full.spanS);
  add("saturated: CPU per delivery", "µs", full.cpuUs / full.delivered);
  add("saturated: send → ack p50", "ms", quantile(full.ackUs, 0.5) / 1_000);
  add("saturated: send → delivery p50", "ms", quantile(full.deliveryUs, 0.5) / 1_000);
}

async function oneRound(bench: Bench, subject: Subject, receivers: number, round: number): Promise<void> {
  const { record } = bench;
  const channelIds = subject.world.channelIds.slice(0, 1);
  try {
    await fillRoom(bench, subject, receivers);
    // The same moments for every subject of a round.
    const talk = (durationMs: number): RunOptions => ({
      pace: { kind: "random", perSecond: talkPerSecond, seed: round },
      durationMs,
      channelIds,
    });
    await measuredRun(bench, subject, { ...talk(warmUpMs), pace: { kind: "random", perSecond: 50, seed: round } });

    const calm = await measuredRun(bench, subject, talk(talkMs));
    record.add(subject.name, metrics.ackP50(receivers), "ms", quantile(calm.ackUs, 0.5) / 1_000);
    record.add(subject.name, `send → ack p99, ${receivers} receivers, 10/s`, "ms", quantile(calm.ackUs, 0.99) / 1_000);
    for (const part of [0.5, 0.99]) {
      const metric = `send → delivery p${part * 100}, ${receivers} receivers, 10/s`;
      record.add(subject.name, metric, "ms", quantile(calm.deliveryUs, part) / 1_000);
    }
    record.add(subject.name, metrics.cpuPerDelivery(receivers), "µs", calm.cpuUs / calm.delivered);
    record.add(
      subject.name,
      `PostgreSQL CPU per message, ${receivers} receivers, 10/s`,
      "µs",
      calm.postgresCpuUs / calm.messages,
    );

    if (bench.subjects.includes(subject)) await saturate(bench, subject, receivers);
  } finally {
    await bench.fleet.disconnect();
  }
}

/** One channel, 100 and 1,000 receivers, 200-byte messages: at a busy community's pace, and as fast as it goes. */
export const messages: Scenario = async (bench) => {
  for (const receivers of rooms) {
    for (let round = 1; round <= bench.rounds; round += 1) {
      for (const subject of receivers === crowd ? [...bench.subjects, ...bench.variants] : bench.subjects) {
        bench.log(`messages: ${receivers} receivers, round ${round} of ${bench.rounds}, ${subject.name}`);
        await oneRound(bench, subject, receivers, round);
      }
    }
  }
};
