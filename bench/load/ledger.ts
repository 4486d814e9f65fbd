import type { Settled } from "./protocol.ts";
import { nowUs, type Stamp } from "./stamp.ts";

/** Every how many connections the latency of deliveries is noted. */
const sampleEvery = 25;
const firstCapacity = 1_024;

/** The book of one run: which connection has got which message, once, never or more often. */
export class Ledger {
  readonly #run: number;
  readonly #seen: Uint8Array[];
  readonly #deliveryUs: number[] = [];
  #delivered = 0;
  #doubled = 0;
  #firstUs = 0;
  #lastUs = 0;

  constructor(run: number, connections: number) {
    this.#run = run;
    this.#seen = Array.from({ length: connections }, () => new Uint8Array(firstCapacity));
  }

  get delivered(): number {
    return this.#delivered;
  }

  take(connection: number, { run, index, sentUs }: Stamp): void {
    let seen = this.#seen[connection];
    if (run !== this.#run || seen === undefined) return;
    if (index >= seen.length) {
      const larger = new Uint8Array(Math.max(seen.length * 2, index + 1));
      larger.set(seen);
      seen = larger;
      this.#seen[connection] = larger;
    }
    if (seen[index] === 1) this.#doubled += 1;
    seen[index] = 1;
    this.#delivered += 1;
    this.#lastUs = nowUs();
    if (this.#firstUs === 0) this.#firstUs = this.#lastUs;
    if (connection % sampleEvery === 0) this.#deliveryUs.push(this.#lastUs - sentUs);
  }

  /** How the book stands when `messages` were sent of which those in `refused` are nobody's. */
  balance(messages: number, refused: readonly number[]): Settled {
    const excused = new Set(refused);
    let lost = 0;
    for (const seen of this.#seen) {
      for (let index = 0; index < messages; index += 1) if (seen[index] !== 1 && !excused.has(index)) lost += 1;
    }
    return {
      delivered: this.#delivered,
      lost,
      doubled: this.#doubled,
      deliveryUs: this.#deliveryUs,
      firstUs: this.#firstUs,
      lastUs: this.#lastUs,
    };
  }
}
