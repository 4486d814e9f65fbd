import { Counter, Gauge, Registry } from "prom-client";
import type { WorkerPool } from "../media/pool.ts";
import type { Rooms } from "../rooms/rooms.ts";
import type { Sampler } from "./sampler.ts";

export interface Metrics {
  readonly registry: Registry;
  workerDied(): void;
  left(reason: string): void;
}

/** What `/metrics` tells; numbers only, no ids. */
export function makeMetrics(rooms: Rooms, pool: WorkerPool, sampler: Sampler, isDraining: () => boolean): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number): void => {
    const made: Gauge = new Gauge({
      name: `lescopains_sfu_${name}`,
      help,
      registers,
      collect: () => made.set(value()),
    });
  };
  const total = (count: (peer: (typeof rooms.peers)[number]) => number) => () =>
    rooms.peers.reduce((all, peer) => all + count(peer), 0);
  gauge("rooms", "Rooms with someone in them", () => rooms.all.length);
  gauge("peers", "Devices in rooms", () => rooms.peers.length);
  gauge(
    "transports",
    "WebRTC transports",
    total((peer) => peer.transports.size),
  );
  gauge(
    "producers",
    "Tracks that are sent to this node",
    total((peer) => peer.producers.size),
  );
  gauge(
    "consumers",
    "Tracks that this node sends",
    total((peer) => peer.consumers.size),
  );
  gauge("consumers_active", "Those that are not paused", total(activeConsumers));
  gauge("bitrate_in", "Bits a second received", () => sampler.last.bitrateIn);
  gauge("bitrate_out", "Bits a second sent", () => sampler.last.bitrateOut);
  gauge("loss_in", "Share of RTP packets lost on the way here", () => sampler.last.lossIn);
  gauge("loss_out", "Share of RTP packets lost on the way out", () => sampler.last.lossOut);
  gauge("round_trip_ms", "Median round trip to people", () => sampler.last.roundTripMs ?? 0);
  gauge("draining", "1 while no new rooms are taken", () => Number(isDraining()));
  const cpu: Gauge<"worker"> = new Gauge({
    name: "lescopains_sfu_worker_cpu",
    help: "Share of a core that a worker used of late",
    labelNames: ["worker"],
    registers,
    collect: () => {
      for (const slot of pool.slots) cpu.set({ worker: slot.index }, slot.cpu);
    },
  });
  const deaths = new Counter({ name: "lescopains_sfu_worker_deaths_total", help: "Workers that died", registers });
  const leaves = new Counter({
    name: "lescopains_sfu_left_total",
    help: "People who left a room, by reason",
    labelNames: ["reason"],
    registers,
  });
  return { registry, workerDied: () => deaths.inc(), left: (reason) => leaves.inc({ reason }) };
}

function activeConsumers({
  consumers,
}: {
  readonly consumers: ReadonlyMap<string, { readonly paused: boolean }>;
}): number {
  return [...consumers.values()].filter(({ paused }) => !paused).length;
}
