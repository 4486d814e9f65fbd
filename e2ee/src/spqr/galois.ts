/**
 * GF(2^16) modulo x^16 + x^12 + x^3 + x + 1, by logarithms to the base x. Addition is XOR. The tables take 400 kB and a
 * millisecond, so they are made when first used. Only ciphertexts and public keys are ever coded: the lookups hide nothing.
 */
export interface Field {
  /** log[a] for a ≠ 0, below 65535. */
  readonly log: Uint16Array;
  /** exp[i] for 0 ≤ i < 131070: twice round, so that a sum of two logarithms needs no reduction. */
  readonly exp: Uint16Array;
}

const modulus = 0x1100b;
/** The order of the multiplicative group. */
export const order = 0xffff;

let tables: Field | undefined;

export function field(): Field {
  if (tables !== undefined) return tables;
  const log = new Uint16Array(order + 1);
  const exp = new Uint16Array(2 * order);
  let power = 1;
  for (let index = 0; index < order; index++) {
    exp[index] = power;
    exp[index + order] = power;
    log[power] = index;
    power <<= 1;
    if (power > order) power ^= modulus;
  }
  tables = { log, exp };
  return tables;
}
