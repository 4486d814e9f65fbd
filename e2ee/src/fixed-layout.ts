import type { ProtocolError } from "./errors.ts";

/** Reads a layout of fixed fields, big-endian. Whatever does not fit is refused with the error that `refuse` makes. */
export class FixedReader {
  readonly #bytes: Uint8Array;
  readonly #refuse: (part: string) => ProtocolError;
  #at = 0;

  constructor(bytes: Uint8Array, refuse: (part: string) => ProtocolError) {
    this.#bytes = bytes;
    this.#refuse = refuse;
  }

  /** The next `length` bytes, copied. */
  take(length: number): Uint8Array {
    if (this.#bytes.length - this.#at < length) throw this.#refuse("it ends too early");
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }

  /** The next number, of at most 6 bytes. */
  number(length: 1 | 2 | 4 | 6): number {
    return this.take(length).reduce((value, byte) => value * 256 + byte, 0);
  }

  /** The next number of 8 bytes. */
  big(): bigint {
    return this.take(8).reduce((value, byte) => value * 256n + BigInt(byte), 0n);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw this.#refuse("it goes on after its end");
  }
}
