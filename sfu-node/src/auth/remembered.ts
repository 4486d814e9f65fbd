/** Ids that matter for a while. What is added to one of these lives equally long, so that those to be forgotten stand in front, more or less. */
export class Remembered {
  readonly #untilMs = new Map<string, number>();

  /** False: it is known already. */
  add(id: string, untilMs: number, nowMs: number): boolean {
    for (const [known, knownUntilMs] of this.#untilMs) {
      if (knownUntilMs > nowMs) break;
      this.#untilMs.delete(known);
    }
    if (this.#untilMs.has(id)) return false;
    this.#untilMs.set(id, untilMs);
    return true;
  }

  /** At least for as long as was said, maybe longer. */
  has(id: string): boolean {
    return this.#untilMs.has(id);
  }

  get size(): number {
    return this.#untilMs.size;
  }
}
