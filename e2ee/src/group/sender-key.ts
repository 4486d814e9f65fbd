import { wipe } from "../bytes.ts";
import { generateKeyPair } from "../primitives/curve.ts";
import type { Platform } from "../platform.ts";

/** Older chains of a sender than these are forgotten, as the official library does. */
export const maxStates = 5;
/** A message may be this far ahead of the next expected one. */
export const maxForwardJump = 25_000;
/** Keys of messages that were jumped over, for each chain; the oldest go first. */
export const maxSkippedKeys = 2_000;
export const maxIteration = 2 ** 32 - 1;

/** The seed of a message that was jumped over. */
export interface SkippedSeed {
  readonly iteration: number;
  readonly seed: Uint8Array;
}

/** One chain of one sender. */
export interface SenderKeyState {
  /** 31 random bits when we made it; the wire allows 32. */
  readonly chainId: number;
  /** The number of the next message. */
  readonly iteration: number;
  /** 32 bytes. */
  readonly chainKey: Uint8Array;
  /** 33 bytes: what the sender signs each message with. */
  readonly signingKey: Uint8Array;
  /** 32 bytes in our own record, `null` in somebody else's. */
  readonly signingPrivateKey: Uint8Array | null;
  /** Ascending by iteration. */
  readonly skipped: readonly SkippedSeed[];
}

/** What a device keeps for one sending device and one distribution: its chains, the newest first. Plain data, never changed. */
export interface SenderKeyRecord {
  readonly states: readonly SenderKeyState[];
}

/**
 * A record to send with: a fresh chain id, chain key and signing key, unlike those in `previous`, which is forgotten. Called for a
 * first message, and before the next message whenever somebody leaves or a device is revoked. The new key must reach the others
 * (`createDistribution`) before they can read.
 */
export async function createSenderKey(platform: Platform, previous: SenderKeyRecord | null): Promise<SenderKeyRecord> {
  const used = new Set(previous?.states.map((state) => state.chainId));
  let chainId: number;
  do {
    const [a = 0, b = 0, c = 0, d = 0] = platform.random(4);
    chainId = ((a & 0x7f) << 24) | (b << 16) | (c << 8) | d;
  } while (used.has(chainId));
  const { privateKey, publicKey } = await generateKeyPair(platform);
  const state: SenderKeyState = {
    chainId,
    iteration: 0,
    chainKey: platform.random(32),
    signingKey: publicKey,
    signingPrivateKey: privateKey,
    skipped: [],
  };
  return { states: [state] };
}

/** The record with `state` in front, in the place of the one of its chain, and without the chains beyond the fifth. */
export function withState(record: SenderKeyRecord | null, state: SenderKeyState): SenderKeyRecord {
  const others = record?.states.filter((other) => other.chainId !== state.chainId) ?? [];
  return { states: [state, ...others].slice(0, maxStates) };
}

/** The record with `state` where the one of its chain stands. */
export function replaceState(record: SenderKeyRecord, state: SenderKeyState): SenderKeyRecord {
  return { states: record.states.map((other) => (other.chainId === state.chainId ? state : other)) };
}

/** Overwrites the secrets of `before` that `after` no longer holds. Call it once `after` is stored; `before` is useless then. */
export function retireSenderKey(before: SenderKeyRecord, after: SenderKeyRecord | null): void {
  const kept = new Set(after === null ? [] : secretsOf(after));
  for (const secret of secretsOf(before)) if (!kept.has(secret)) wipe(secret);
}

function secretsOf(record: SenderKeyRecord): Uint8Array[] {
  const secrets: Uint8Array[] = [];
  for (const state of record.states) {
    secrets.push(state.chainKey);
    if (state.signingPrivateKey !== null) secrets.push(state.signingPrivateKey);
    for (const skipped of state.skipped) secrets.push(skipped.seed);
  }
  return secrets;
}
