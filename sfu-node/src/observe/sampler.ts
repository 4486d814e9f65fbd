import { SFU_LIMITS } from "@lescopains/protocol/sfu/limits";
import type { PassageStats } from "../media/port.ts";
import type { WorkerPool } from "../media/pool.ts";
import type { Peer } from "../rooms/peer.ts";
import type { Rooms } from "../rooms/rooms.ts";

/** What flows through this node, as of the last look. */
export interface Sample {
  readonly bitrateIn: number;
  readonly bitrateOut: number;
  /** Mean over what is sent here, and over people who receive something; 0 to 1. */
  readonly lossIn: number;
  readonly lossOut: number;
  /** Median over people; undefined while nobody receives anything. */
  readonly roundTripMs: number | undefined;
}

const nothing: Sample = { bitrateIn: 0, bitrateOut: 0, lossIn: 0, lossOut: 0, roundTripMs: undefined };
/** Each look asks the workers once for every transport: often enough for a dashboard, rare enough to cost nothing. */
const sampleMs = 5_000;
const cpuMs = 1_000;

/** Looks at workers and transports from time to time. */
export class Sampler {
  last: Sample = nothing;
  readonly #rooms: Rooms;
  readonly #onFlood: (peer: Peer) => void;
  readonly #timers: readonly NodeJS.Timeout[];
  #looking = false;

  /** @param onFlood someone sends more than `SFU_LIMITS.floodBitrate` on a transport, whatever they were told by congestion control */
  constructor(rooms: Rooms, pool: WorkerPool, onFlood: (peer: Peer) => void) {
    this.#rooms = rooms;
    this.#onFlood = onFlood;
    this.#timers = [
      setInterval(() => void pool.measure(performance.now()), cpuMs),
      setInterval(() => void this.#lookOnce(), sampleMs),
    ];
    for (const timer of this.#timers) timer.unref();
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  async #lookOnce(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      this.last = await this.look();
    } finally {
      this.#looking = false;
    }
  }

  /** Asks now. */
  async look(): Promise<Sample> {
    const { peers } = this.#rooms;
    const transports = peers.flatMap((peer) =>
      [...peer.transports.values()].map(({ transport }) => ({ peer, transport })),
    );
    const stats = await Promise.all(transports.map(({ transport }) => transport.stats()));
    const floods = transports.filter((_, index) => (stats[index]?.bitrateIn ?? 0) > SFU_LIMITS.floodBitrate);
    for (const peer of new Set(floods.map((flood) => flood.peer))) this.#onFlood(peer);
    const incoming = await Promise.all(peers.flatMap((peer) => passagesHere(peer)));
    const outgoing = (await Promise.all(peers.map(passageTo))).filter((passage) => passage !== undefined);
    const trips = known(outgoing.map(({ roundTripMs }) => roundTripMs));
    return {
      bitrateIn: sum(stats.map(({ bitrateIn }) => bitrateIn)),
      bitrateOut: sum(stats.map(({ bitrateOut }) => bitrateOut)),
      lossIn: mean(known(incoming.map(({ loss }) => loss))),
      lossOut: mean(known(outgoing.map(({ loss }) => loss))),
      roundTripMs: trips.toSorted((a, b) => a - b)[Math.floor(trips.length / 2)],
    };
  }
}

function passagesHere({ producers }: Peer): Promise<PassageStats>[] {
  return [...producers.values()].filter(({ paused }) => !paused).map(({ producer }) => producer.passage());
}

/** One of the things someone receives tells how far away they are, and how much gets there. */
async function passageTo(peer: Peer): Promise<PassageStats | undefined> {
  const open = [...peer.consumers.values()].find(({ paused }) => !paused);
  return open?.consumer.passage();
}

function known(numbers: readonly (number | undefined)[]): number[] {
  return numbers.filter((one) => one !== undefined);
}

function mean(numbers: readonly number[]): number {
  return sum(numbers) / Math.max(1, numbers.length);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
