import { concat, utf8, wipe } from "../bytes.ts";
import { hkdf, hmac } from "../primitives/kdf.ts";

/** A symmetric-key ratchet (Double Ratchet, 2.2): `key` gives the message numbered `index` and all after it. */
export interface Chain {
  readonly key: Uint8Array;
  readonly index: number;
}

const seedInput = Uint8Array.of(1);
const stepInput = Uint8Array.of(2);

/** What the keys of the chain's next message come from: 32 bytes. */
export function messageSeed({ key }: Chain): Uint8Array {
  return hmac(key, seedInput);
}

export function nextChain({ key, index }: Chain): Chain {
  return { key: hmac(key, stepInput), index: index + 1 };
}

export interface MessageKeys {
  /** AES-256, 32 bytes. */
  readonly cipherKey: Uint8Array;
  readonly macKey: Uint8Array;
  /** 16 bytes. */
  readonly iv: Uint8Array;
}

const messageInfo = utf8("WhisperMessageKeys");

/** The keys of one message, from both ratchets (Triple Ratchet: the post-quantum key is the salt). Wipes `pqKey`. */
export function messageKeys(seed: Uint8Array, pqKey: Uint8Array): MessageKeys {
  const okm = hkdf(seed, pqKey, messageInfo, 80);
  wipe(pqKey);
  return { cipherKey: okm.subarray(0, 32), macKey: okm.subarray(32, 64), iv: okm.subarray(64) };
}

export function wipeMessageKeys({ cipherKey, macKey, iv }: MessageKeys): void {
  wipe(cipherKey, macKey, iv);
}

const rootInfo = utf8("WhisperRatchet");

/** A step of the root chain (Double Ratchet, 3.5, KDF_RK): the next root key and the key of a new chain. Wipes `agreement`. */
export function rootStep(rootKey: Uint8Array, agreement: Uint8Array): { rootKey: Uint8Array; chain: Chain } {
  const okm = hkdf(agreement, rootKey, rootInfo, 64);
  wipe(agreement);
  const step = { rootKey: okm.slice(0, 32), chain: { key: okm.slice(32), index: 0 } };
  wipe(okm);
  return step;
}

/** Of the messages that others overtook: 4 bytes of number, 32 of seed each, in the order in which they were skipped. */
export type SkippedSeeds = Uint8Array;

export const skippedEntryBytes = 36;
/** A chain keeps so many seeds; beyond that the oldest are forgotten, and their messages lost. */
export const maxSkipped = 2_000;
/** A message may be so much further than the last one in its chain; whoever forges one makes us compute no more than that. */
export const maxForwardJump = 25_000;

/** Where the seed of a skipped message lies; −1 when it is not kept. */
export function findSkipped(skipped: SkippedSeeds, counter: number): number {
  const view = new DataView(skipped.buffer, skipped.byteOffset, skipped.byteLength);
  for (let offset = 0; offset < skipped.length; offset += skippedEntryBytes) {
    if (view.getUint32(offset) === counter) return offset;
  }
  return -1;
}

/** Without the entry at `offset`: a seed is used once. */
export function withoutSkipped(skipped: SkippedSeeds, offset: number): SkippedSeeds {
  return concat(skipped.subarray(0, offset), skipped.subarray(offset + skippedEntryBytes));
}

/** Advances to the message numbered `counter`, and keeps the seeds of those that it passes. */
export function skipTo(chain: Chain, skipped: SkippedSeeds, counter: number): { chain: Chain; skipped: SkippedSeeds } {
  const passed = counter - chain.index;
  if (passed === 0) return { chain, skipped };
  const kept = Math.min(passed, maxSkipped);
  const older = skipped.subarray(Math.max(0, skipped.length - (maxSkipped - kept) * skippedEntryBytes));
  const all = new Uint8Array(older.length + kept * skippedEntryBytes);
  all.set(older);
  const view = new DataView(all.buffer);
  let at = chain;
  let offset = older.length;
  while (at.index < counter) {
    if (counter - at.index <= kept) {
      const seed = messageSeed(at);
      view.setUint32(offset, at.index);
      all.set(seed, offset + 4);
      wipe(seed);
      offset += skippedEntryBytes;
    }
    const next = nextChain(at);
    // The first one belongs to the caller's state, which may still be used.
    if (at !== chain) wipe(at.key);
    at = next;
  }
  return { chain: at, skipped: all };
}
