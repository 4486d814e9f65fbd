const groups = 6;
const groupBytes = 5;

/** 60 digits of two fingerprints, the same whoever asks: the halves stand in ascending order. */
export function digitsOf(a: Uint8Array, b: Uint8Array): string {
  return [thirtyDigits(a), thirtyDigits(b)].toSorted((one, other) => (one < other ? -1 : 1)).join("");
}

/** 30 digits of a fingerprint: six groups of 5 bytes, each modulo 100,000. */
export function thirtyDigits(fingerprint: Uint8Array): string {
  let digits = "";
  for (let group = 0; group < groups; group++) {
    const bytes = fingerprint.subarray(group * groupBytes, (group + 1) * groupBytes);
    const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    digits += String(value % 100_000).padStart(5, "0");
  }
  return digits;
}
