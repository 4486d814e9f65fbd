/** Counters this far behind the newest count as seen: about five seconds of everything a device can send. */
export const windowSize = 1_024;

/** Which counters were used. Asked before a frame is authenticated, told only after. */
export class ReplayWindow {
  readonly #bits = new Uint8Array(windowSize);
  #newest = -1;

  /** Whether the frame with this counter was there already, or is too old to know. */
  has(counter: number): boolean {
    if (counter > this.#newest) return false;
    return counter <= this.#newest - windowSize || this.#bits[counter % windowSize] === 1;
  }

  add(counter: number): void {
    if (counter > this.#newest) {
      const skipped = Math.min(counter - this.#newest - 1, windowSize);
      for (let at = counter - skipped; at < counter; at++) this.#bits[at % windowSize] = 0;
      this.#newest = counter;
    }
    this.#bits[counter % windowSize] = 1;
  }
}
