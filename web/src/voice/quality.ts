/** How well a connection carries: out of what the browser counts. */

export interface Counted {
  readonly atMs: number;
  readonly received: number;
  readonly lost: number;
  readonly bytes: number;
}

/** One track as it came in since it was looked at before. */
export interface TrackQuality {
  /** Share of packets that did not arrive, 0 to 1. */
  readonly loss: number;
  readonly kbps: number;
}

export type Grade = "good" | "fair" | "poor";

export interface Quality {
  readonly rttMs: number | undefined;
  /** Sent and received by this browser. */
  readonly sentKbps: number;
  readonly receivedKbps: number;
  /** Of what one receives. */
  readonly loss: number;
  /** By producer. */
  readonly tracks: ReadonlyMap<string, TrackQuality>;
}

/** Where one begins to notice, and where it hurts. */
const FAIR = { rttMs: 250, loss: 0.03 } as const;
const POOR = { rttMs: 600, loss: 0.12 } as const;

export function gradeOf({ rttMs = 0, loss }: { readonly rttMs?: number | undefined; readonly loss: number }): Grade {
  if (rttMs >= POOR.rttMs || loss >= POOR.loss) return "poor";
  return rttMs >= FAIR.rttMs || loss >= FAIR.loss ? "fair" : "good";
}

/** What the browser says of one thing; TypeScript has no type for each kind. */
interface Stat {
  readonly id: string;
  readonly type: string;
  readonly timestamp: number;
  readonly nominated?: boolean;
  readonly state?: string;
  readonly currentRoundTripTime?: number;
  readonly trackIdentifier?: string;
  readonly packetsReceived?: number;
  readonly packetsLost?: number;
  readonly bytesReceived?: number;
  readonly bytesSent?: number;
}

/** Compares what is counted now with what was counted before. `tracks`: which producer a received track is of. */
export function createQualityMeter(): (
  reports: readonly RTCStatsReport[],
  tracks: ReadonlyMap<string, string>,
) => Quality {
  const before = new Map<string, Counted>();

  /** Since the last time; nothing the first time. */
  function since(id: string, now: Counted): { readonly lost: number; readonly packets: number; readonly kbps: number } {
    const last = before.get(id);
    before.set(id, now);
    if (last === undefined || now.atMs <= last.atMs) return { lost: 0, packets: 0, kbps: 0 };
    // Packets that come late are counted back.
    const lost = Math.max(0, now.lost - last.lost);
    const packets = lost + Math.max(0, now.received - last.received);
    return { lost, packets, kbps: (Math.max(0, now.bytes - last.bytes) * 8) / (now.atMs - last.atMs) };
  }

  return (reports, tracks) => {
    const qualities = new Map<string, TrackQuality>();
    const rtts: number[] = [];
    const all = { lost: 0, packets: 0, sentKbps: 0, receivedKbps: 0 };
    for (const stat of reports.flatMap((report) => [...report.values()] as Stat[])) {
      if (stat.type === "candidate-pair" && stat.state === "succeeded" && stat.currentRoundTripTime !== undefined) {
        if (stat.nominated !== false) rtts.push(stat.currentRoundTripTime * 1_000);
      } else if (stat.type === "outbound-rtp") {
        const counted = { atMs: stat.timestamp, received: 0, lost: 0, bytes: stat.bytesSent ?? 0 };
        all.sentKbps += since(stat.id, counted).kbps;
      } else if (stat.type === "inbound-rtp") {
        const { packets, lost, kbps } = since(stat.id, {
          atMs: stat.timestamp,
          received: stat.packetsReceived ?? 0,
          lost: stat.packetsLost ?? 0,
          bytes: stat.bytesReceived ?? 0,
        });
        all.lost += lost;
        all.packets += packets;
        all.receivedKbps += kbps;
        const producerId = tracks.get(stat.trackIdentifier ?? "");
        if (producerId !== undefined) qualities.set(producerId, { loss: packets === 0 ? 0 : lost / packets, kbps });
      }
    }
    return {
      rttMs: rtts.length === 0 ? undefined : Math.max(...rtts),
      sentKbps: all.sentKbps,
      receivedKbps: all.receivedKbps,
      loss: all.packets === 0 ? 0 : all.lost / all.packets,
      tracks: qualities,
    };
  };
}
