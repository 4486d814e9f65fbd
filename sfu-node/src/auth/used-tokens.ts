/** Which tokens have been used, for as long as they could be used again. */
export class UsedTokens {
  /** In the order of use. Tokens live equally long, so those to be forgotten stand in front, more or less. */
  readonly #untilMs = new Map<string, number>();

  /** False: it was used before. */
  add(jti: string, untilMs: number, nowMs: number): boolean {
    for (const [known, knownUntilMs] of this.#untilMs) {
      if (knownUntilMs > nowMs) break;
      this.#untilMs.delete(known);
    }
    if (this.#untilMs.has(jti)) return false;
    this.#untilMs.set(jti, untilMs);
    return true;
  }

  get size(): number {
    return this.#untilMs.size;
  }
}
