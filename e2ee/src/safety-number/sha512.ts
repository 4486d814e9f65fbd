import { sha512 } from "@noble/hashes/sha2.js";

/**
 * SHA-512 (64 bytes) of a short input that does not change meanwhile. A safety number asks for it 10,400 times, one after the other for
 * each side, which must not hold up a thread that draws.
 */
export type Sha512 = (data: Uint8Array) => Promise<Uint8Array>;

/** What is used of WebCrypto's `crypto.subtle`. */
interface DigestSubtle {
  digest(algorithm: "SHA-512", data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
}

/**
 * By WebCrypto: the hashes leave the calling thread alone. The first choice in a browser.
 */
export function webCryptoSha512(subtle: DigestSubtle): Sha512 {
  return async (data) => new Uint8Array(await subtle.digest("SHA-512", data as Uint8Array<ArrayBuffer>));
}

/** Under a millisecond of work once it is compiled; the first ones take many times as long. */
const hashesAtOnce = 50;

/**
 * In JavaScript: several times faster than WebCrypto in Node, where each of its calls changes threads.
 *
 * @param pause is awaited after every 50 hashes and gives the thread away: a message channel, a timer.
 */
export function nobleSha512(pause: () => Promise<void>): Sha512 {
  let count = 0;
  let pausing: Promise<void> = Promise.resolve();
  return async (data) => {
    count++;
    if (count % hashesAtOnce === 0) pausing = pause();
    // Whoever else asks meanwhile waits too: the thread is really free, and one pause is over before the next.
    await pausing;
    return sha512(data);
  };
}
