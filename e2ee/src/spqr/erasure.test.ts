import fc from "fast-check";
import { expect, test } from "vitest";
import { addChunk, chunkAt, chunkCount, joinChunks } from "./erasure.ts";
import { field } from "./galois.ts";

/** The product in GF(2^16), bit by bit. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 15; bit >= 0; bit--) {
    product <<= 1;
    if (product & 0x1_0000) product ^= 0x1_100b;
    if ((b >> bit) & 1) product ^= a;
  }
  return product;
}

const payload = fc
  .constantFrom(3, 5, 30, 36)
  .chain((chunks) => fc.uint8Array({ minLength: 32 * chunks, maxLength: 32 * chunks }));

test("[EC1] logarithms multiply as bits do", () => {
  const { log, exp } = field();
  expect(new Set(exp.subarray(0, 0xffff)).size).toBe(0xffff);
  const element = fc.integer({ min: 1, max: 0xffff });
  fc.assert(
    fc.property(element, element, (a, b) => {
      expect(exp[log[a]! + log[b]!]).toBe(multiply(a, b));
    }),
    { seed: 1, numRuns: 500 },
  );
});

test("[EC2] the first chunks are the payload", () => {
  const bytes = Uint8Array.from({ length: 96 }, (_, index) => index);
  expect([0, 1, 2].map((index) => chunkAt(bytes, index)[0])).toEqual([0, 32, 64]);
});

test("[EC3] any chunks that are enough give back the payload, in any order, and one less does not", () => {
  fc.assert(
    fc.property(payload, fc.infiniteStream(fc.nat(0xffff)), (bytes, indices) => {
      const count = bytes.length / 32;
      let received = new Uint8Array();
      for (const index of indices) {
        expect(joinChunks(received, bytes.length)).toBeNull();
        received = Uint8Array.from(addChunk(received, index, chunkAt(bytes, index)));
        if (chunkCount(received) === count) break;
      }
      expect(joinChunks(received, bytes.length)).toEqual(bytes);
    }),
    { seed: 3, numRuns: 60 },
  );
});

test("[EC4] the first chunks and later ones mix", () => {
  fc.assert(
    fc.property(payload, fc.nat(60), (bytes, start) => {
      let received = new Uint8Array();
      for (let index = start; chunkCount(received) < bytes.length / 32; index++) {
        received = Uint8Array.from(addChunk(received, index, chunkAt(bytes, index)));
      }
      expect(joinChunks(received, bytes.length)).toEqual(bytes);
    }),
    { seed: 4, numRuns: 100 },
  );
});

test("[EC5] a chunk that came twice counts once", () => {
  const bytes = new Uint8Array(96).fill(7);
  const once = addChunk(new Uint8Array(), 5, chunkAt(bytes, 5));
  expect(addChunk(once, 5, chunkAt(bytes, 5))).toBe(once);
});

test("[EC6] a later chunk is Lagrange's polynomial over the first ones", () => {
  // Constant lanes have a constant polynomial; y = x has itself.
  const constant = new Uint8Array(96).fill(0x5a);
  expect(chunkAt(constant, 40_000)).toEqual(new Uint8Array(32).fill(0x5a));
  const line = Uint8Array.from({ length: 96 }, (_, index) => (index % 2 === 1 ? Math.floor(index / 32) : 0));
  expect(chunkAt(line, 0xabcd)).toEqual(Uint8Array.from({ length: 32 }, (_, index) => (index % 2 === 1 ? 0xcd : 0xab)));
});
