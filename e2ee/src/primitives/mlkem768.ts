import { sha3_256, sha3_512, shake256 } from "@noble/hashes/sha3.js";
import { genCrystals, XOF128 } from "@noble/post-quantum/_crystals.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { concat, equal, wipe } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";

/*
 * ML-KEM-768 (FIPS 203) with an encapsulation in two steps, as the ML-KEM Braid needs it: the first 960 bytes of a ciphertext
 * depend on the seed of the matrix and the hash of the encapsulation key alone, so that they can travel while the key itself is
 * still arriving. Key generation, decapsulation and the number-theoretic transform are @noble/post-quantum's.
 */

/** Bytes of the vector t̂, the first part of an encapsulation key; the 32 bytes of ρ follow it. */
export const vectorLength = 1152;
export const ct1Length = 960;
export const ct2Length = 128;
export const secretKeyLength = 2400;
/** ρ and the hash of the whole encapsulation key. */
export const headerLength = 64;
/** The randomness m and the noise seed r of an encapsulation between its two steps. */
export const encapsulationLength = 64;

const q = 3329;
const n = 256;
const rank = 3;
const crystals = genCrystals<Uint16Array>({
  N: n,
  Q: q,
  F: 3303,
  ROOT_OF_UNITY: 17,
  newPoly: (length) => new Uint16Array(length),
  brvBits: 7,
  isKyber: true,
});
const words12 = crystals.bitsCoder(12, { encode: (word) => word, decode: (word) => word });
/** Compress_d and ByteEncode_d (FIPS 203, 4.2.1) in one. What is divided is the ciphertext, which is public. */
const compressed = (d: number) =>
  crystals.bitsCoder(d, { encode: (x) => Math.floor(((x << d) + 1664) / q), decode: (x) => x });
const words10 = compressed(10);
const words4 = compressed(4);

/** A new key pair from `seed` (d ‖ z, 64 bytes): the decapsulation key of FIPS 203, which holds the encapsulation key. */
export function generate(seed: Uint8Array): Uint8Array {
  return ml_kem768.keygen(seed).secretKey;
}

/** The header of a key pair: ρ ‖ SHA3-256(t̂ ‖ ρ), 64 bytes. */
export function headerOf(secretKey: Uint8Array): Uint8Array {
  const rho = vectorLength * 2;
  return secretKey.slice(rho, rho + headerLength);
}

/** The encoded vector t̂ of a key pair, 1152 bytes: a view. */
export function vectorOf(secretKey: Uint8Array): Uint8Array {
  return secretKey.subarray(vectorLength, vectorLength * 2);
}

/**
 * Whether `vector` is the rest of the key that `header` announced: the hash agrees and its coefficients are reduced (the
 * modulus check of FIPS 203, 7.2).
 */
export function vectorMatches(header: Uint8Array, vector: Uint8Array): boolean {
  const hash = sha3_256(concat(vector, header.subarray(0, 32)));
  if (!equal(hash, header.subarray(32))) return false;
  for (let row = 0; row < rank; row++) {
    if (words12.decode(vector.subarray(384 * row, 384 * row + 384)).some((word) => word >= q)) return false;
  }
  return true;
}

/** What the first step gives: part of the ciphertext, the shared secret, and what the second step needs. */
export interface FirstStep {
  readonly ct1: Uint8Array;
  readonly secret: Uint8Array;
  /** m ‖ r, 64 bytes. Secret; wiped after `encapsulate2`. */
  readonly encapsulation: Uint8Array;
}

/** The first step (FIPS 203, algorithms 17 and 14 up to u) with the randomness `m`, 32 bytes. */
export function encapsulate1(header: Uint8Array, m: Uint8Array): FirstStep {
  const kr = sha3_512(concat(m, header.subarray(32)));
  const r = kr.subarray(32);
  const y = noiseVector(r);
  const xof = XOF128(header.subarray(0, 32));
  const ct1 = new Uint8Array(ct1Length);
  const sum = new Int32Array(n);
  for (let row = 0; row < rank; row++) {
    sum.fill(0);
    // Row `row` of the transposed matrix: ρ ‖ row ‖ column seeds the element (column, row).
    for (let column = 0; column < rank; column++) addProduct(sum, sampleNtt(xof.get(row, column)), y[column]!);
    const e1 = sampleCbd(prf(r, rank + row));
    ct1.set(words10.encode(addTo(fromNtt(sum), e1)), 320 * row);
    wipe(e1);
  }
  xof.clean();
  wipe(...y);
  sum.fill(0);
  const first = { ct1, secret: kr.slice(0, 32), encapsulation: concat(m, r) };
  wipe(kr);
  return first;
}

/** The second step: the last 128 bytes of the ciphertext, for a `vector` that `vectorMatches` accepted. */
export function encapsulate2(encapsulation: Uint8Array, vector: Uint8Array): Uint8Array {
  const m = encapsulation.subarray(0, 32);
  const r = encapsulation.subarray(32);
  const y = noiseVector(r);
  const sum = new Int32Array(n);
  for (let row = 0; row < rank; row++) {
    addProduct(sum, words12.decode(vector.subarray(384 * row, 384 * row + 384)), y[row]!);
  }
  const v = fromNtt(sum);
  const e2 = sampleCbd(prf(r, 2 * rank));
  addTo(v, e2);
  // μ: a bit of m is 0 or ⌈q/2⌋, chosen by a mask and not a branch.
  for (let index = 0; index < n; index++) {
    e2[index] = -((m[index >> 3]! >> (index & 7)) & 1) & ((q + 1) / 2);
  }
  const ct2 = words4.encode(addTo(v, e2));
  wipe(v, e2, ...y);
  sum.fill(0);
  return ct2;
}

/**
 * The shared secret of a whole ciphertext (FIPS 203, 7.3). An altered one gives a secret that nobody knows.
 *
 * @throws ProtocolError `invalid_record` when `secretKey`, which comes from our own state, is damaged.
 */
export function decapsulate(secretKey: Uint8Array, ct1: Uint8Array, ct2: Uint8Array): Uint8Array {
  try {
    return ml_kem768.decapsulate(concat(ct1, ct2), secretKey);
  } catch (error) {
    throw new ProtocolError("invalid_record", "The ML-KEM key of the session is damaged.", { cause: error });
  }
}

function prf(seed: Uint8Array, nonce: number): Uint8Array {
  return shake256(concat(seed, Uint8Array.of(nonce)), { dkLen: 128 });
}

/** ŷ: the noise of the ephemeral secret, transformed. */
function noiseVector(r: Uint8Array): Uint16Array[] {
  return Array.from({ length: rank }, (_, index) => crystals.NTT.encode(sampleCbd(prf(r, index))));
}

/** SamplePolyCBD with η = 2 (FIPS 203, algorithm 8): each half byte is a coefficient. Wipes `noise`. */
function sampleCbd(noise: Uint8Array): Uint16Array {
  const poly = new Uint16Array(n);
  for (let index = 0; index < n; index++) {
    const bits = noise[index >> 1]! >> (4 * (index & 1));
    const value = (bits & 1) + ((bits >> 1) & 1) - ((bits >> 2) & 1) - ((bits >> 3) & 1);
    poly[index] = value + (q & (value >> 31));
  }
  wipe(noise);
  return poly;
}

/** SampleNTT (FIPS 203, algorithm 7), from blocks of 168 bytes. What is sampled is public. */
function sampleNtt(next: () => Uint8Array): Uint16Array {
  const poly = new Uint16Array(n);
  let filled = 0;
  while (filled < n) {
    const block = next();
    for (let at = 0; at < block.length && filled < n; at += 3) {
      const d1 = block[at]! | ((block[at + 1]! & 0x0f) << 8);
      const d2 = (block[at + 1]! >> 4) | (block[at + 2]! << 4);
      if (d1 < q) poly[filled++] = d1;
      if (d2 < q && filled < n) poly[filled++] = d2;
    }
  }
  return poly;
}

/** sum += a ∘ b in the transformed domain (FIPS 203, algorithms 11 and 12), not reduced: three products fit an int32. */
function addProduct(sum: Int32Array, a: Uint16Array, b: Uint16Array): void {
  for (let at = 0; at < n; at += 2) {
    const zeta = crystals.nttZetas[64 + (at >> 2)]!;
    const gamma = (at & 2) === 0 ? zeta : q - zeta;
    const a0 = a[at]!;
    const a1 = a[at + 1]!;
    const b0 = b[at]!;
    const b1 = b[at + 1]!;
    sum[at]! += a0 * b0 + ((a1 * b1) % q) * gamma;
    sum[at + 1]! += a0 * b1 + a1 * b0;
  }
}

/** The polynomial of a sum of products. */
function fromNtt(sum: Int32Array): Uint16Array {
  return crystals.NTT.decode(Uint16Array.from(sum, (value) => value % q));
}

/** a += b, reduced; gives `a`. */
function addTo(a: Uint16Array, b: Uint16Array): Uint16Array {
  for (let index = 0; index < n; index++) {
    const difference = a[index]! + b[index]! - q;
    a[index] = difference + (q & (difference >> 31));
  }
  return a;
}
