import { utf8, wipe } from "../bytes.ts";
import { hkdf, hmac } from "../primitives/kdf.ts";
import { maxSkippedKeys, type SenderKeyState, type SkippedSeed } from "./sender-key.ts";

const seedInput = Uint8Array.of(0x01);
const chainInput = Uint8Array.of(0x02);
const messageInfo = utf8("WhisperGroup");
const noSalt = new Uint8Array(0);

/** What the message of `chainKey`'s iteration is encrypted from: 32 bytes. */
export function messageSeed(chainKey: Uint8Array): Uint8Array {
  return hmac(chainKey, seedInput);
}

/** The chain key of the next iteration: 32 bytes. */
export function nextChainKey(chainKey: Uint8Array): Uint8Array {
  return hmac(chainKey, chainInput);
}

/** AES-256-CBC with the key and the initialisation vector of a message. Both are overwritten when `use` is done. */
export function withMessageKeys<T>(seed: Uint8Array, use: (key: Uint8Array, iv: Uint8Array) => T): T {
  const derived = hkdf(seed, noSalt, messageInfo, 48);
  try {
    return use(derived.subarray(16), derived.subarray(0, 16));
  } finally {
    wipe(derived);
  }
}

/**
 * Walks a chain to `iteration`, which is not behind it: the seed of that message, and the state that expects the one after it and
 * keeps the seeds of those jumped over. Only the last 2,000 of these are derived: earlier ones would be dropped at once.
 */
export function walkTo(state: SenderKeyState, iteration: number): { state: SenderKeyState; seed: Uint8Array } {
  const skipped: SkippedSeed[] = [];
  let chainKey = state.chainKey;
  for (let at = state.iteration; at < iteration; at++) {
    if (iteration - at <= maxSkippedKeys) skipped.push({ iteration: at, seed: messageSeed(chainKey) });
    chainKey = step(state, chainKey);
  }
  const seed = messageSeed(chainKey);
  const kept = skipped.length === 0 ? state.skipped : [...state.skipped, ...skipped].slice(-maxSkippedKeys);
  return { state: { ...state, iteration: iteration + 1, chainKey: step(state, chainKey), skipped: kept }, seed };
}

/** The next chain key. This one is overwritten, unless it is the state's, which stays usable. */
function step(state: SenderKeyState, chainKey: Uint8Array): Uint8Array {
  const next = nextChainKey(chainKey);
  if (chainKey !== state.chainKey) wipe(chainKey);
  return next;
}
