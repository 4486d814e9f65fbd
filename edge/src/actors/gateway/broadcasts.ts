import type { AnyDown } from "@lescopains/protocol/down";

interface Broadcast<S> {
  readonly sockets: readonly S[];
  readonly events: readonly AnyDown[];
  readonly done: () => void;
}

/** Writes one event to some sockets. */
type Write<S> = (sockets: readonly S[], event: AnyDown) => void;

/** Writing to this many sockets takes about 2 ms; then whatever else waits on the thread has its turn. */
const SLICE = 50;
/** So many events of a batch go to a slice together: several frames that leave a socket in one turn cost half as much each. */
const TOGETHER = 8;

/**
 * Events on their way to many sockets, strictly one after the other. A thousand sockets are 45 ms of writing: in slices, so that
 * acknowledgements and other people's messages do not wait for the last of them.
 */
export class Broadcasts<S> {
  readonly #queue: Broadcast<S>[] = [];
  readonly #write: Write<S>;
  readonly #yieldTurn: () => Promise<void>;
  #isWriting = false;

  /** @param yieldTurn resolves when other work of the thread has had its turn */
  constructor(write: Write<S>, yieldTurn: () => Promise<void>) {
    this.#write = write;
    this.#yieldTurn = yieldTurn;
  }

  /** Queues events for sockets. Resolves when they, and all that was queued before them, are written. */
  send(sockets: readonly S[], events: readonly AnyDown[]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#queue.push({ sockets, events, done: resolve });
    if (!this.#isWriting) void this.#writeAll();
    return promise;
  }

  /** Few sockets are written to at once, without a yield. */
  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    let sinceYield = 0;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      for (let from = 0; from < next.events.length; from += TOGETHER) {
        const events = next.events.slice(from, from + TOGETHER);
        for (let at = 0; at < next.sockets.length; at += SLICE) {
          const slice = next.sockets.slice(at, at + SLICE);
          if (sinceYield + slice.length > SLICE) {
            await this.#yieldTurn();
            sinceYield = 0;
          }
          for (const event of events) this.#write(slice, event);
          sinceYield += slice.length;
        }
      }
      next.done();
    }
    this.#isWriting = false;
  }
}
