import { createCipheriv, createHash } from "node:crypto";

/** Random bytes that follow from a seed: the key stream of AES-256-CTR. */
export function seededBytes(seed: number): (length: number) => Uint8Array {
  const key = createHash("sha256").update(`seed ${seed}`).digest();
  const cipher = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  return (length) => Uint8Array.from(cipher.update(Buffer.alloc(length)));
}

/** Numbers that follow from a seed. */
export class SeededNumbers {
  readonly #bytes: (length: number) => Uint8Array;

  constructor(seed: number) {
    this.#bytes = seededBytes(seed);
  }

  /** 0 … `below` − 1. */
  below(below: number): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#bytes(4);
    return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) % below;
  }

  /** True in `percent` of a hundred cases. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  bytes(length: number): Uint8Array {
    return this.#bytes(length);
  }
}
