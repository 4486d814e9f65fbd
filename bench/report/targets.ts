import * as metrics from "../scenarios/metrics.ts";
import type { Measurements, SubjectName } from "./measurements.ts";

export interface TargetResult {
  readonly target: string;
  readonly wanted: string;
  readonly measured: number;
  readonly reached: boolean;
}

interface Target {
  readonly target: string;
  readonly limit: number;
  /** Below the limit, not at it. */
  readonly below?: boolean;
  readonly unit: string;
  readonly measure: (record: Measurements) => number | undefined;
}

const targets: readonly Target[] = [
  {
    target: "send → ack p50, 1000 receivers, edge ÷ node",
    limit: 0.5,
    unit: "×",
    measure: (record) => record.ratio(metrics.ackP50(1_000), "edge", "node"),
  },
  {
    target: "CPU per delivery, 1000 receivers, edge ÷ node",
    limit: 1.6,
    unit: "×",
    measure: (record) => record.ratio(metrics.cpuPerDelivery(1_000), "edge", "node"),
  },
  {
    target: "memory per connection",
    limit: 120,
    unit: "kB",
    measure: (record) => record.median("edge", metrics.memoryPerSocket),
  },
  {
    target: "CPU of one core, 1000 users, 20 channels, 10/s",
    limit: 60,
    below: true,
    unit: "%",
    measure: (record) => record.median("edge", metrics.steadyCpu),
  },
  {
    target: "deliveries lost or doubled",
    limit: 0,
    unit: "",
    measure: (record) =>
      record.has(metrics.lost) ? record.total(metrics.lost) + record.total(metrics.doubled) : undefined,
  },
  ...[metrics.mediaShare("each way"), metrics.liveAdded].map((metric) => ({
    target: metric,
    limit: 3,
    below: true,
    unit: "%",
    measure: (record: Measurements) => record.median("frames in Chromium", metric),
  })),
  {
    target: metrics.voiceCpu,
    limit: 60,
    below: true,
    unit: "%",
    measure: (record) => record.median("sfu", metrics.voiceCpu),
  },
  {
    target: metrics.voiceDelay("p99"),
    limit: 20,
    below: true,
    unit: "ms",
    measure: (record) => record.median("sfu", metrics.voiceDelay("p99")),
  },
  {
    target: metrics.voiceLost,
    limit: 0,
    unit: "",
    measure: (record) => (record.has(metrics.voiceLost) ? record.total(metrics.voiceLost) : undefined),
  },
  ...(["janus", "janus, one loop"] as const).map((peer) => ({
    target: `${metrics.webrtcCpu}, sfu ÷ ${peer}`,
    limit: 1,
    unit: "×",
    measure: (record: Measurements) => record.ratio(metrics.webrtcCpu, "sfu", peer),
  })),
  {
    target: metrics.webrtcWrong,
    limit: 0,
    unit: "",
    measure: (record) => (record.has(metrics.webrtcWrong) ? record.total(metrics.webrtcWrong) : undefined),
  },
  {
    target: metrics.proxyAdded,
    limit: 1,
    below: true,
    unit: "ms",
    measure: (record) => record.median("behind Caddy", metrics.proxyAdded),
  },
  ...callTargets(),
  ...returningTargets("conversation"),
  ...returningTargets("channel"),
  ...engineTargets("engine in Chromium"),
  ...engineTargets("engine"),
  ...[metrics.sessionBegun("p50"), metrics.encrypted("p50"), metrics.decrypted("p50")].map((metric) => ({
    target: `${metric}, engine ÷ libsignal`,
    limit: 15,
    unit: "×",
    measure: (record: Measurements) => record.ratio(metric, "engine", "libsignal"),
  })),
];

function callTargets(): Target[] {
  const limits = [
    [metrics.firstSound, 800],
    [metrics.firstPicture, 1_200],
    [metrics.rejoin, 5_000],
    [metrics.callRtt, 5],
    [metrics.bufferAndPath, 80],
  ] as const;
  const added = [
    [metrics.mouthToEar, 80],
    [metrics.glassToGlass, 100],
  ] as const;
  return [
    ...limits.map(([metric, limit]) => ({
      target: metric,
      limit,
      below: true,
      unit: "ms",
      measure: (record: Measurements) => record.median("call", metric),
    })),
    ...added.map(([metric, limit]) => ({
      target: `${metric}, call − direct`,
      limit,
      below: true,
      unit: "ms",
      measure: (record: Measurements) => record.difference(metric, "call", "direct"),
    })),
  ];
}

function returningTargets(place: metrics.Place): Target[] {
  const limits = [
    [metrics.returned(place), 2_000],
    [metrics.longestTask(place), 50],
    [metrics.longestTaskCpu(place), 50],
  ] as const;
  return limits.map(([metric, limit]) => ({
    target: metric,
    limit,
    unit: "ms",
    measure: (record) => record.median("client", metric),
  }));
}

function engineTargets(subject: SubjectName): Target[] {
  const limits = [
    [metrics.sessionBegun("p50"), 150],
    [metrics.encrypted("p50"), 1],
    [metrics.decrypted("p50"), 3],
    [metrics.decrypted("p99"), 40],
    [metrics.waitingRead, 2_000],
  ] as const;
  return limits.map(([metric, limit]) => ({
    target: `${metric}, ${subject}`,
    limit,
    below: true,
    unit: "ms",
    measure: (record) => record.median(subject, metric),
  }));
}

/** The targets that this run measured. */
export function checkTargets(record: Measurements): TargetResult[] {
  return targets.flatMap(({ target, limit, below = false, unit, measure }) => {
    const measured = measure(record);
    if (measured === undefined) return [];
    const wanted = `${below ? "<" : "≤"} ${limit} ${unit}`.trim();
    return [{ target, wanted, measured, reached: below ? measured < limit : measured <= limit }];
  });
}
