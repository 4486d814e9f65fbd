import { equal, wipe } from "../bytes.ts";
import { wipeReplaced as wipeReplacedSpqr } from "../spqr/ratchet.ts";
import { decodeState, encodeState, readBaseKey } from "./record-codec.ts";
import { maxArchived } from "./state.ts";
import type { SessionRecord, SessionState } from "./state.ts";

/** A session that the other device never answered is no longer written with after so long: its prekeys are gone by then. */
export const unacknowledgedTtlMs = 30 * 24 * 60 * 60 * 1_000;

/**
 * Whether a message can be sent: `none` (begin a session), `expired` (it was never answered in 30 days: begin another),
 * `unacknowledged` (usable; each message still carries the prekeys), `established`.
 */
export type SessionStatus = "none" | "expired" | "unacknowledged" | "established";

export function sessionStatus(record: SessionRecord | undefined, nowMs: number): SessionStatus {
  const current = record?.current;
  if (current === undefined) return "none";
  if (current.unacknowledged === undefined) return "established";
  return current.unacknowledged.createdAtMs + unacknowledgedTtlMs < nowMs ? "expired" : "unacknowledged";
}

/** Makes a new session the current one; the one before is archived. */
export function withNewSession(record: SessionRecord | undefined, state: SessionState): SessionRecord {
  return { current: state, archived: archive(record?.current, record?.archived ?? []) };
}

/**
 * Stops writing with the current session, for instance because the other device could not read it; what was sent in it can
 * still be received. The next message needs `startSession`.
 */
export function archiveSession(record: SessionRecord): SessionRecord {
  return { archived: archive(record.current, record.archived) };
}

function archive(state: SessionState | undefined, archived: readonly Uint8Array[]): readonly Uint8Array[] {
  return state === undefined ? archived : [encodeState(state), ...archived].slice(0, maxArchived);
}

/** A state of a record: `index` is undefined for the current one. */
export interface Located {
  readonly state: SessionState;
  readonly index: number | undefined;
}

/** Every state, the current one first, each decoded when it is asked for. */
export function* statesOf({ current, archived }: SessionRecord): Generator<Located> {
  if (current !== undefined) yield { state: current, index: undefined };
  for (const [index, encoded] of archived.entries()) yield { state: decodeState(encoded), index };
}

/** The session that began with a base key. */
export function findByBaseKey({ current, archived }: SessionRecord, baseKey: Uint8Array): Located | undefined {
  if (current !== undefined && equal(current.baseKey, baseKey)) return { state: current, index: undefined };
  const index = archived.findIndex((encoded) => equal(readBaseKey(encoded), baseKey));
  const encoded = archived[index];
  return encoded === undefined ? undefined : { state: decodeState(encoded), index };
}

/** The record after one of its states has decrypted a message: that session is the one to write with (Sesame, 3.4). */
export function withDecrypted(record: SessionRecord, { index }: Located, next: SessionState): SessionRecord {
  if (index === undefined) return { ...record, current: next };
  return { current: next, archived: archive(record.current, record.archived.toSpliced(index, 1)) };
}

/** Overwrites the secrets of `before` that `after`, which followed it and was stored, does not share. */
export function wipeReplaced(before: SessionRecord, after: SessionRecord): void {
  const kept = new Set([...secretsOf(after.current), ...after.archived]);
  for (const secret of [...secretsOf(before.current), ...before.archived]) if (!kept.has(secret)) wipe(secret);
  if (before.current !== undefined && after.current !== undefined) {
    wipeReplacedSpqr(before.current.spqr, after.current.spqr);
  }
}

function secretsOf(state: SessionState | undefined): Uint8Array[] {
  if (state === undefined) return [];
  const { rootKey, sending, receiving } = state;
  return [
    rootKey,
    sending.ratchetKey.privateKey,
    sending.chain.key,
    ...receiving.flatMap(({ chain, skipped }) => [chain.key, skipped]),
  ];
}
