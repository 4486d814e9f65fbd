import type { Envelope } from "@lescopains/protocol/keys";
import { LIMITS } from "@lescopains/protocol/limits";

/** How far one socket has been served. */
interface Progress {
  /** The last envelope that was written to it. */
  upTo: number;
  /** Those of them that wait for their acknowledgement. */
  readonly waiting: Set<number>;
  /** A read is under way; `again`: something came meanwhile. */
  state: "idle" | "reading" | "again";
}

/**
 * Envelopes on their way to sockets. They are always read from the queue, oldest first, never passed on as they are sent: what a socket has
 * been given has no holes, so that one number acknowledges all of it. `S` is the socket. After hibernation progress is forgotten, and what
 * was not acknowledged comes again.
 */
export class Mailbox<S extends object> {
  readonly #progress = new WeakMap<S, Progress>();
  readonly #read: (socket: S, after: number, limit: number) => Promise<readonly Envelope[]>;
  readonly #write: (socket: S, envelopes: readonly Envelope[]) => void;

  constructor(
    read: (socket: S, after: number, limit: number) => Promise<readonly Envelope[]>,
    write: (socket: S, envelopes: readonly Envelope[]) => void,
  ) {
    this.#read = read;
    this.#write = write;
  }

  /** Writes what there is, up to a page of unacknowledged envelopes. Rejects when the queue can't be read. */
  async serve(socket: S): Promise<void> {
    const progress = this.#of(socket);
    if (progress.state !== "idle") {
      progress.state = "again";
      return;
    }
    try {
      do {
        progress.state = "reading";
        const room = LIMITS.envelopesPage - progress.waiting.size;
        if (room <= 0) break;
        const envelopes = await this.#read(socket, progress.upTo, room);
        for (const { id } of envelopes) progress.waiting.add(id);
        progress.upTo = envelopes.at(-1)?.id ?? progress.upTo;
        if (envelopes.length > 0) this.#write(socket, envelopes);
      } while (this.#isAskedAgain(progress));
    } finally {
      progress.state = "idle";
    }
  }

  /** The device has kept everything up to a number: there is room for more. */
  acknowledged(socket: S, upTo: number): Promise<void> {
    const progress = this.#of(socket);
    for (const id of progress.waiting) if (id <= upTo) progress.waiting.delete(id);
    return this.serve(socket);
  }

  #isAskedAgain({ state }: Progress): boolean {
    return state === "again";
  }

  #of(socket: S): Progress {
    let progress = this.#progress.get(socket);
    if (progress === undefined) {
      progress = { upTo: 0, waiting: new Set(), state: "idle" };
      this.#progress.set(socket, progress);
    }
    return progress;
  }
}
