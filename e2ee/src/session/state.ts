import type { KeyPair } from "../primitives/curve.ts";
import type { SpqrState } from "../spqr/ratchet.ts";
import type { Chain, SkippedSeeds } from "./chain.ts";

/**
 * One session with one device, as plain data that is never changed: each message makes a new state that shares what it can with
 * the old one. Public keys are 33 bytes, everything else 32.
 */
export interface SessionState {
  /** Both as they were when the session began: its messages are bound to them. */
  readonly localIdentity: Uint8Array;
  readonly remoteIdentity: Uint8Array;
  readonly localRegistrationId: number;
  readonly remoteRegistrationId: number;
  /** The initiator's ephemeral key: by it a session is known. */
  readonly baseKey: Uint8Array;
  readonly rootKey: Uint8Array;
  readonly sending: SendingChain;
  /** At most `maxReceivingChains`, the newest last. */
  readonly receiving: readonly ReceivingChain[];
  readonly spqr: SpqrState;
  /** Until the other device has answered: what each message carries so that it can make the session. */
  readonly unacknowledged?: Unacknowledged | undefined;
}

interface SendingChain {
  readonly ratchetKey: KeyPair;
  readonly chain: Chain;
  /** Number of the last message in the chain before, 0 if there was none. */
  readonly previousCounter: number;
}

/** What came with one of the other device's ratchet keys. */
export interface ReceivingChain {
  readonly ratchetKey: Uint8Array;
  readonly chain: Chain;
  readonly skipped: SkippedSeeds;
}

export const maxReceivingChains = 5;

export interface Unacknowledged {
  readonly preKeyId: number | undefined;
  readonly signedPreKeyId: number;
  readonly kyberPreKeyId: number;
  /** 1569 bytes. */
  readonly kyberCiphertext: Uint8Array;
  readonly createdAtMs: number;
}

/**
 * All that is known of the sessions with one device: the one that is written with, and older ones that messages may still come
 * from, newest first. Archived states stay encoded until a message needs them. Plain data that is never changed.
 */
export interface SessionRecord {
  readonly current?: SessionState | undefined;
  readonly archived: readonly Uint8Array[];
}

export const maxArchived = 40;
