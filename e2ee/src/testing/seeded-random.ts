import { sha256 } from "@noble/hashes/sha2.js";
import { concat, utf8 } from "../bytes.ts";

/** For tests: the bytes of SHA-256 over `seed` and a counter. The same seed gives the same run. */
export function seededRandom(seed: string): (length: number) => Uint8Array {
  let count = 0;
  let stock: Uint8Array = new Uint8Array(0);
  return (length) => {
    while (stock.length < length) stock = concat(stock, sha256(utf8(`${seed} ${count++}`)));
    const given = stock.slice(0, length);
    stock = stock.slice(length);
    return given;
  };
}
