import { concat } from "../bytes.ts";
import { field, order } from "./galois.ts";

/*
 * The erasure code of the ML-KEM Braid: any N different chunks give back a payload of N chunks.
 *
 * A chunk is 16 lanes of 16 bits, big-endian. In each lane the payload is the polynomial of degree N − 1 through the points
 * (k, lane of chunk k), k < N; a chunk of index x, below 65536, is that polynomial at x. So the first N chunks are the payload.
 */

export const chunkLength = 32;
/** Indices are 16 bits wide; whoever has sent them all starts again. */
export const chunkIndices = 0x1_0000;
const lanes = 16;
/** A received chunk as it is kept: its index in two bytes, big-endian, then the chunk. */
export const entryLength = 2 + chunkLength;

/** The chunk of index `x` of `payload`, whose length is a multiple of 32. */
export function chunkAt(payload: Uint8Array, x: number): Uint8Array {
  const count = payload.length / chunkLength;
  if (x < count) return payload.slice(x * chunkLength, (x + 1) * chunkLength);
  const nodes = Array.from({ length: count }, (_, index) => index);
  return evaluate(nodes, logWeights(nodes), logLanes(payload), x);
}

/** How many different chunks `received` holds. */
export function chunkCount(received: Uint8Array): number {
  return received.length / entryLength;
}

/** `received` with one more chunk, or itself if it has that index already. */
export function addChunk(received: Uint8Array, x: number, chunk: Uint8Array): Uint8Array {
  for (let at = 0; at < received.length; at += entryLength) {
    if (indexAt(received, at) === x) return received;
  }
  return concat(received, Uint8Array.of(x >> 8, x & 0xff), chunk);
}

/** The payload of `length` bytes, or null while chunks are missing. */
export function joinChunks(received: Uint8Array, length: number): Uint8Array | null {
  const count = length / chunkLength;
  if (chunkCount(received) < count) return null;
  const nodes: number[] = [];
  const values = new Uint8Array(length);
  const payload = new Uint8Array(length);
  const missing = new Set(Array.from({ length: count }, (_, index) => index));
  for (let node = 0; node < count; node++) {
    const x = indexAt(received, node * entryLength);
    const chunk = received.subarray(node * entryLength + 2, (node + 1) * entryLength);
    nodes.push(x);
    values.set(chunk, node * chunkLength);
    if (missing.delete(x)) payload.set(chunk, x * chunkLength);
  }
  if (missing.size === 0) return payload;
  const weights = logWeights(nodes);
  const logs = logLanes(values);
  for (const x of missing) payload.set(evaluate(nodes, weights, logs, x), x * chunkLength);
  return payload;
}

function indexAt(received: Uint8Array, at: number): number {
  return (received[at]! << 8) | received[at + 1]!;
}

/** log 0, out of the range of the others. */
const zero = -1;

/** The logarithm of every lane of every chunk. */
function logLanes(values: Uint8Array): Int32Array {
  const { log } = field();
  return Int32Array.from({ length: values.length / 2 }, (_, index) => {
    const value = indexAt(values, 2 * index);
    return value === 0 ? zero : log[value]!;
  });
}

/** The logarithms of the barycentric weights, ∏ (x_j − x_m) for m ≠ j, still to be divided by. */
function logWeights(nodes: readonly number[]): number[] {
  const { log } = field();
  return nodes.map((node) => {
    let sum = 0;
    for (const other of nodes) if (other !== node) sum += log[node ^ other]!;
    return sum % order;
  });
}

/** Lagrange's formula at `x`, which is none of the nodes, in all lanes at once. */
function evaluate(nodes: readonly number[], weights: readonly number[], logs: Int32Array, x: number): Uint8Array {
  const { log, exp } = field();
  let all = 0;
  for (const node of nodes) all += log[x ^ node]!;
  const sums = new Uint16Array(lanes);
  for (let index = 0; index < nodes.length; index++) {
    const factor = (all - log[x ^ nodes[index]!]! - weights[index]! + order) % order;
    for (let lane = 0; lane < lanes; lane++) {
      const value = logs[index * lanes + lane]!;
      if (value !== zero) sums[lane]! ^= exp[factor + value]!;
    }
  }
  const chunk = new Uint8Array(chunkLength);
  for (let lane = 0; lane < lanes; lane++) {
    chunk[2 * lane] = sums[lane]! >> 8;
    chunk[2 * lane + 1] = sums[lane]! & 0xff;
  }
  return chunk;
}
