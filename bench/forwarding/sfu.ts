import type { MediaEnd } from "../../tools/doctor/media-end.ts";

/** Somebody's end, as far as talking goes. */
export type TalkingEnd = Pick<MediaEnd, "isConnected" | "onRtp" | "sendRtp" | "sendRtcp" | "close">;

/** One who speaks, and those who hear them; all are connected. */
export interface OpenRoom {
  readonly speaker: TalkingEnd;
  readonly listeners: readonly TalkingEnd[];
}

export interface SfuOptions {
  /** Where media listens and comes from. */
  readonly ip: string;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A forwarder of media that is measured. */
export interface Sfu {
  readonly name: "sfu" | "janus" | "janus, one loop";
  /** Of the process that touches packets; µs so far. */
  forwardingCpuUs(): number;
  /** Of all its processes. */
  wholeCpuUs(): number;
  openRoom(listeners: number): Promise<OpenRoom>;
  stop(): Promise<void>;
}

/** Handshakes under way at a time: they are computed by the benchmark itself, and both sides lose patience with slow ones. */
const atOnce = 4;

/** Lets so many listeners come, a few at a time. */
export async function gather(count: number, listen: () => Promise<MediaEnd>): Promise<MediaEnd[]> {
  const ends: MediaEnd[] = [];
  while (ends.length < count) {
    ends.push(...(await Promise.all(Array.from({ length: Math.min(atOnce, count - ends.length) }, listen))));
  }
  return ends;
}
