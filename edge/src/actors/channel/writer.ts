import type { AnyDown } from "@lescopains/protocol/down";
import type { ChannelId } from "@lescopains/protocol/ids";
import { type Outcome, type Refusal, refuse } from "@lescopains/protocol/outcome";
import { type Database, DatabaseError } from "../../db/port.ts";
import { log } from "../../platform/logger.ts";
import type { Told } from "../gateway/messages.ts";
import { type Answer, batchLength, refusal, type Write } from "./core.ts";
import type { Loaded } from "./loaded.ts";
import { untoldOf } from "./reading.ts";
import type { Granted, Rights } from "./rights.ts";
import { store, type Written } from "./store.ts";

interface Pending {
  readonly write: Write;
  /** The author's permissions when it was admitted. */
  granted: Granted;
  readonly resolve: (outcome: Outcome<Answer>) => void;
}

export interface WriterOptions {
  readonly id: ChannelId;
  readonly db: Database;
  readonly rights: Rights;
  /** The channel; null when there is none. */
  readonly channel: () => Promise<Loaded | null>;
  /** What is known of the channel may be wrong. */
  readonly forget: () => void;
  /** What nothing may be written during; undefined: nothing is going on. */
  readonly mustWait: () => Promise<unknown> | undefined;
  /** Tells the channel's readers; resolves when it is written to their sockets. */
  readonly tell: (channel: Loaded, told: readonly Told[]) => Promise<void>;
}

const NO_CHANNEL = refuse("not_found", "no such channel");
const UNAVAILABLE = refuse("unavailable", "the database is not reachable", { retryAfterMs: 2_000 });

/**
 * What is written in one channel: admit → batch → persist → acknowledge → fan out. Whatever arrives while a batch is being stored
 * forms the next one.
 */
export class Writer {
  readonly #options: WriterOptions;
  readonly #queue: Pending[] = [];
  #draining = false;
  /** The batch on its way to PostgreSQL. */
  #inFlight: Promise<void> | undefined;
  /** The broadcast on its way to the sockets. */
  #reading: Promise<void> = Promise.resolve();
  /** The last event that gateways were given; what was there before this actor was counts as told. */
  #toldSeq: number | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** How much waits for its turn. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Resolves when the batch on its way to PostgreSQL is stored. */
  get stored(): Promise<void> | undefined {
    return this.#inFlight;
  }

  /** Resolves when the broadcast on its way to the sockets is written. */
  get told(): Promise<void> {
    return this.#reading;
  }

  /** The channel was read, with this event as its last. */
  begin(lastSeq: number): void {
    this.#toldSeq ??= lastSeq;
  }

  async write(write: Write): Promise<Outcome<Answer>> {
    let granted: Granted;
    try {
      const channel = await this.#options.channel();
      if (channel === null) return NO_CHANNEL;
      granted = await this.#options.rights.of(channel.access, write.userId);
      const refused = refusal(channel, write, granted.bits, this.#queue.length);
      if (refused !== null) return { ok: false, error: refused };
    } catch (error) {
      return unavailable(error);
    }
    const { promise, resolve } = Promise.withResolvers<Outcome<Answer>>();
    this.#queue.push({ write, granted, resolve });
    if (!this.#draining) void this.#drain();
    return promise;
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    while (this.#queue.length > 0) {
      for (let other = this.#options.mustWait(); other !== undefined; other = this.#options.mustWait()) await other;
      this.#inFlight = this.#writeBatch(this.#queue.splice(0, batchLength(this.#queue)));
      await this.#inFlight;
    }
    this.#inFlight = undefined;
    this.#draining = false;
  }

  /** Never rejects: what goes wrong is the answer of the batch's senders. */
  async #writeBatch(batch: Pending[]): Promise<void> {
    try {
      const channel = await this.#options.channel();
      const admitted = channel === null ? [] : await this.#readmit(channel, batch);
      if (channel === null) for (const pending of batch) pending.resolve(NO_CHANNEL);
      else if (admitted.length > 0) await this.#storeAndTell(channel, admitted);
    } catch (error) {
      // Whether the batch was stored is unknown: the senders try again, and their nonces tell.
      const refused = unavailable(error);
      for (const pending of batch) pending.resolve(refused);
      this.#options.forget();
    }
  }

  async #storeAndTell(channel: Loaded, batch: Pending[]): Promise<void> {
    const written = await store(
      this.#options.db,
      this.#options.id,
      batch.map(({ write, granted }) => ({ write, bits: granted.bits })),
    );
    const events: Told[] = [];
    written.forEach(({ outcome, event, sealed }, index) => {
      batch[index]?.resolve(outcome);
      if (event !== undefined) events.push(sealed === undefined ? { event } : { event, sealed });
      channel.lastSeq = Math.max(channel.lastSeq, storedSeq(outcome));
    });
    const ordered = [...(await this.#untold(channel, written, events)), ...inOrder(events)];
    if (ordered.length === 0) return;
    // The acknowledgements leave before the broadcast, which is the long part. One broadcast at a time: when people write faster
    // than it can be read out, the queue fills and says so.
    await this.#reading;
    await scheduler.wait(0);
    this.#reading = this.#options.tell(channel, ordered);
  }

  /**
   * What PostgreSQL stored without this actor learning of it: the answer to an earlier batch was lost. It shows as a hole before
   * this batch's events, or as a retry that is known and was never told.
   */
  async #untold(channel: Loaded, written: readonly Written[], events: readonly Told[]): Promise<Told[]> {
    const told = this.#toldSeq ?? 0;
    const stored = Math.max(0, ...written.map(({ outcome }) => storedSeq(outcome)));
    const upTo = events.length > 0 ? Math.min(...events.map(({ event }) => seqOf(event))) - 1 : stored;
    this.#toldSeq = Math.max(told, stored);
    if (upTo <= told) return [];
    try {
      return await untoldOf(this.#options.db, this.#options.id, told, upTo, channel.direct !== null);
    } catch (error) {
      // Readers see the hole with the next event and ask `sync`.
      log.warn("what was not told could not be read", { channelId: this.#options.id, reason: String(error) });
      return [];
    }
  }

  /** Admits again what was admitted under rights that have changed since. */
  async #readmit(channel: Loaded, batch: Pending[]): Promise<Pending[]> {
    // Rights may change while rights are being read: only a round without a change counts.
    while (batch.some(({ granted }) => granted.epoch !== this.#options.rights.epoch)) {
      for (const pending of batch)
        pending.granted = await this.#options.rights.of(channel.access, pending.write.userId);
    }
    return batch.filter((pending) => {
      const refused = refusal(channel, pending.write, pending.granted.bits, 0);
      if (refused !== null) pending.resolve({ ok: false, error: refused });
      return refused === null;
    });
  }
}

/** Rows come back in no particular order; readers get them by `seq`. */
function inOrder(events: Told[]): Told[] {
  return events.toSorted((a, b) => seqOf(a.event) - seqOf(b.event));
}

/** The event that a write became, now or at its first try; 0: none. */
function storedSeq(outcome: Outcome<Answer>): number {
  return outcome.ok ? (outcome.value.seq ?? 0) : 0;
}

function seqOf({ body }: AnyDown): number {
  return body !== undefined && "seq" in body ? body.seq : 0;
}

export function unavailable(error: unknown): Refusal {
  if (error instanceof DatabaseError && error.kind === "unavailable") return UNAVAILABLE;
  log.error("channel failed", error);
  // An exception out of another actor has no class left; nothing was acknowledged, so trying again is right.
  return UNAVAILABLE;
}
