/** Shorter things look alike. */
const smallest = 1_024;

/**
 * How long `length` bytes are made to look: Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", 2019). The
 * result tells O(log log length) bits of the length and adds at most 12 %, above 1,024 bytes; below, everything is 1,024.
 *
 * @param length a safe integer ≥ 0, below 2^52.
 */
export function paddedLength(length: number): number {
  if (length <= smallest) return smallest;
  const exponent = floorLog2(length);
  const unit = 2 ** (exponent - floorLog2(exponent) - 1);
  return Math.ceil(length / unit) * unit;
}

function floorLog2(value: number): number {
  const high = Math.floor(value / 2 ** 32);
  return high === 0 ? 31 - Math.clz32(value) : 63 - Math.clz32(high);
}
