import { be32, concat, utf8, wipe } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { hkdf } from "../primitives/kdf.ts";

/** A chain of message keys in one direction. */
interface Link {
  /** What the next key is derived from: 32 bytes. */
  readonly next: Uint8Array;
  /** Index of the last key derived; the first one has index 1. */
  readonly count: number;
}

interface ReceivingLink extends Link {
  /** Keys that were passed over, in ascending order: each is its index (4 bytes, big-endian), then the key (32). */
  readonly skipped: Uint8Array;
}

/** The chains of an epoch. `send` is null once a later epoch was used to send. */
export interface ChainEpoch {
  readonly epoch: number;
  readonly send: Link | null;
  readonly receive: ReceivingLink;
}

/** The message keys of a session, by epoch (Double Ratchet, 5.3, with the bounds of the official library). */
export interface Chain {
  /** What the next epoch's secret is mixed into: 32 bytes. */
  readonly root: Uint8Array;
  /** Ascending and without holes; the last is the newest. */
  readonly epochs: readonly ChainEpoch[];
}

export type Role = "initiator" | "responder";

/** Keys that one message may pass over, and keys that are kept of those: the official library's limits. */
const maxJump = 25_000;
export const maxSkipped = 2_000;
export const skippedLength = 36;
/** Epochs kept for receiving before the one that was last used to send. */
const keptEpochs = 1;

const noSalt = new Uint8Array(32);
const startLabel = utf8("Signal PQ Ratchet V1 Chain  Start");
const nextLabel = utf8("Signal PQ Ratchet V1 Chain Next");
const addEpochLabel = utf8("Signal PQ Ratchet V1 Chain Add Epoch");

/** The chains of epoch 0, from the key that the session's key agreement gave. */
export function startChain(role: Role, authKey: Uint8Array): Chain {
  const { root, epoch } = deriveEpoch(role, 0, noSalt, authKey, startLabel);
  return { root, epochs: [epoch] };
}

/** The chains with one epoch more. Wipes `secret`. */
export function addEpoch(chain: Chain, role: Role, secret: Uint8Array): Chain {
  const { root, epoch } = deriveEpoch(role, newestEpoch(chain) + 1, chain.root, secret, addEpochLabel);
  wipe(secret);
  return { root, epochs: [...chain.epochs, epoch] };
}

function newestEpoch({ epochs }: Chain): number {
  return epochs.at(-1)!.epoch;
}

function deriveEpoch(role: Role, epoch: number, salt: Uint8Array, ikm: Uint8Array, info: Uint8Array) {
  const okm = hkdf(ikm, salt, info, 96);
  const root = okm.slice(0, 32);
  const fromInitiator = { next: okm.slice(32, 64), count: 0 };
  const fromResponder = { next: okm.slice(64), count: 0 };
  wipe(okm);
  const [send, receive] = role === "initiator" ? [fromInitiator, fromResponder] : [fromResponder, fromInitiator];
  return { root, epoch: { epoch, send, receive: { ...receive, skipped: new Uint8Array() } } };
}

/** The next key of a link. */
function step(link: Link): { link: Link; key: Uint8Array } {
  const count = link.count + 1;
  const okm = hkdf(link.next, noSalt, concat(be32(count), nextLabel), 64);
  const stepped = { link: { next: okm.slice(0, 32), count }, key: okm.slice(32) };
  wipe(okm);
  return stepped;
}

/** The next key to send with in `epoch`, which never goes back. Epochs that no message can belong to any more are dropped. */
export function sendKey(chain: Chain, epoch: number): { chain: Chain; index: number; key: Uint8Array } {
  const current = chain.epochs.find((candidate) => candidate.epoch === epoch);
  if (current?.send == null) throw new Error("A chain sends in an epoch that it has left.");
  const { link, key } = step(current.send);
  const epochs = chain.epochs
    .filter((candidate) => candidate.epoch >= epoch - keptEpochs)
    .map((candidate) => {
      if (candidate.epoch === epoch) return { ...candidate, send: link };
      return candidate.epoch < epoch && candidate.send !== null ? { ...candidate, send: null } : candidate;
    });
  return { chain: { root: chain.root, epochs }, index: link.count, key };
}

/**
 * The key of a received message; each is given once.
 *
 * @throws ProtocolError `message_too_old`, `message_too_far` or `duplicate_message`.
 */
export function receiveKey(chain: Chain, epoch: number, index: number): { chain: Chain; key: Uint8Array } {
  const position = chain.epochs.findIndex((candidate) => candidate.epoch === epoch);
  const current = chain.epochs[position];
  if (current === undefined) {
    throw epoch > newestEpoch(chain)
      ? new ProtocolError("message_too_far", "The message is of an epoch that was not agreed yet.")
      : new ProtocolError("message_too_old", "The message is of an epoch whose keys are gone.");
  }
  const { receive, key } =
    index > current.receive.count ? stepTo(current.receive, index) : takeSkipped(current.receive, index);
  return { chain: { root: chain.root, epochs: chain.epochs.with(position, { ...current, receive }) }, key };
}

function stepTo(receive: ReceivingLink, index: number): { receive: ReceivingLink; key: Uint8Array } {
  if (index - receive.count > maxJump) {
    throw new ProtocolError("message_too_far", "The message is further ahead than keys may be passed over.");
  }
  const kept: Uint8Array[] = [withoutOlder(receive.skipped, index - maxSkipped)];
  let link: Link = receive;
  for (;;) {
    const stepped = step(link);
    // The links in between were made here and are nobody else's.
    if (link !== receive) wipe(link.next);
    link = stepped.link;
    if (link.count === index) {
      const skipped = kept.length === 1 ? kept[0]! : concat(...kept);
      return { receive: { ...link, skipped }, key: stepped.key };
    }
    if (link.count >= index - maxSkipped) kept.push(be32(link.count), stepped.key);
    else wipe(stepped.key);
  }
}

/** The entries of index `oldest` and later; the same array when that is all of them. */
function withoutOlder(skipped: Uint8Array, oldest: number): Uint8Array {
  let start = 0;
  while (start < skipped.length && indexOf(skipped, start) < oldest) start += skippedLength;
  return start === 0 ? skipped : skipped.slice(start);
}

function takeSkipped(receive: ReceivingLink, index: number): { receive: ReceivingLink; key: Uint8Array } {
  const { skipped } = receive;
  for (let at = 0; at < skipped.length; at += skippedLength) {
    if (indexOf(skipped, at) !== index) continue;
    const key = skipped.slice(at + 4, at + skippedLength);
    return {
      receive: { ...receive, skipped: concat(skipped.subarray(0, at), skipped.subarray(at + skippedLength)) },
      key,
    };
  }
  if (index < receive.count - maxSkipped) throw new ProtocolError("message_too_old", "The message key is gone.");
  throw new ProtocolError("duplicate_message", "The message key was used before.");
}

function indexOf(skipped: Uint8Array, at: number): number {
  return skipped[at]! * 0x100_0000 + ((skipped[at + 1]! << 16) | (skipped[at + 2]! << 8) | skipped[at + 3]!);
}
