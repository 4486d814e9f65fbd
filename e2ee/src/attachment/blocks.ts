/**
 * Cuts a stream of pieces of any length into blocks of `length` bytes; only the last one may be shorter, and it is empty only when
 * the whole stream is. Holds one block: what it gives is valid until it is called again.
 */
export class BlockCutter {
  readonly #block: Uint8Array;
  #filled = 0;

  constructor(length: number) {
    this.#block = new Uint8Array(length);
  }

  /** The blocks that are now known not to be the last: a full one waits until a byte comes after it. */
  *push(piece: Uint8Array): Generator<Uint8Array, void> {
    let at = 0;
    while (at < piece.length) {
      if (this.#filled === this.#block.length) {
        yield this.#block;
        this.#filled = 0;
      }
      const taken = Math.min(this.#block.length - this.#filled, piece.length - at);
      this.#block.set(piece.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
    }
  }

  /** The last block, once the stream has ended. */
  last(): Uint8Array {
    return this.#block.subarray(0, this.#filled);
  }
}
