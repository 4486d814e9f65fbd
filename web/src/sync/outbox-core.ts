/** What waits to be sent, in order. Pure; `outbox.ts` sends, keeps and wakes. */
import { ErrorCode } from "@lescopains/protocol/errors";
import { ChannelId, MessageId } from "@lescopains/protocol/ids";
import * as v from "valibot";
import type { ApiError } from "../net/api-error.ts";
import { backoffMs } from "./backoff.ts";
import type { PendingMessage, SendInput } from "./live-types.ts";

export interface OutboxItem extends PendingMessage {
  readonly inFlight: boolean;
  readonly attempts: number;
  /** Not sent again before this, in epoch milliseconds. */
  readonly notBeforeMs: number;
}

export type Outbox = readonly OutboxItem[];

/** What is kept of an item over reloads. */
const KeptItem = v.object({
  nonce: v.string(),
  channelId: ChannelId,
  content: v.string(),
  replyTo: v.nullable(MessageId),
  createdAtMs: v.number(),
  state: v.picklist(["waiting", "failed"]),
  failure: v.optional(ErrorCode),
});
const KeptItems = v.array(KeptItem);

/** A server that fails at the same message this often will not take it at the next attempt either. */
const INTERNAL_ATTEMPTS_MAX = 6;
/** Refusals of the connection rather than of the message: it is sent again once the session is good. */
const SESSION_CODES: ReadonlySet<ErrorCode> = new Set(["token_expired", "unauthenticated", "session_revoked"]);

/** A new message at the end. */
export function queued(
  outbox: Outbox,
  input: SendInput & { readonly nonce: string; readonly channelId: ChannelId; readonly nowMs: number },
): Outbox {
  const item: OutboxItem = {
    nonce: input.nonce,
    channelId: input.channelId,
    content: input.content,
    replyTo: input.replyTo ?? null,
    createdAtMs: input.nowMs,
    state: "waiting",
    failure: undefined,
    inFlight: false,
    attempts: 0,
    notBeforeMs: 0,
  };
  return [...outbox, item];
}

/** What may be sent now: of each channel the first that waits, so that a channel's messages keep their order. */
export function sendable(outbox: Outbox, nowMs: number): readonly OutboxItem[] {
  return heads(outbox).filter((item) => !item.inFlight && item.notBeforeMs <= nowMs);
}

/** When the next item may be sent, in epoch milliseconds; `undefined` when none waits for a time. */
export function nextAtMs(outbox: Outbox): number | undefined {
  const times = heads(outbox)
    .filter((item) => !item.inFlight)
    .map((item) => item.notBeforeMs);
  return times.length === 0 ? undefined : Math.min(...times);
}

function heads(outbox: Outbox): readonly OutboxItem[] {
  const seen = new Set<ChannelId>();
  return outbox.filter((item) => {
    if (item.state !== "waiting" || seen.has(item.channelId)) return false;
    seen.add(item.channelId);
    return true;
  });
}

export function inFlight(outbox: Outbox, nonce: string): Outbox {
  return changed(outbox, nonce, { inFlight: true });
}

/** The server has it, or the person gave it up. */
export function without(outbox: Outbox, nonce: string): Outbox {
  return outbox.some((item) => item.nonce === nonce) ? outbox.filter((item) => item.nonce !== nonce) : outbox;
}

/** The server did not take it: now, or for good. */
export function refused(outbox: Outbox, nonce: string, error: ApiError, nowMs: number, random: () => number): Outbox {
  const item = outbox.find((one) => one.nonce === nonce);
  if (item === undefined) return outbox;
  const attempts = item.attempts + 1;
  const tired = error.code === "internal" && attempts >= INTERNAL_ATTEMPTS_MAX;
  if ((!error.retry && !SESSION_CODES.has(error.code)) || tired) {
    return changed(outbox, nonce, { inFlight: false, attempts, state: "failed", failure: error.code });
  }
  const delayMs = error.retryAfterMs ?? backoffMs(item.attempts, random);
  return changed(outbox, nonce, { inFlight: false, attempts, notBeforeMs: nowMs + delayMs });
}

/** The connection is back: what waited for the server waits no longer. */
export function reconnected(outbox: Outbox): Outbox {
  return outbox.map((item) => (item.inFlight ? item : { ...item, attempts: 0, notBeforeMs: 0 }));
}

/** The person asks to try again: it goes to the end of the line, since what was written after it may have been sent. */
export function retried(outbox: Outbox, nonce: string): Outbox {
  const item = outbox.find((one) => one.nonce === nonce);
  if (item === undefined || item.state !== "failed") return outbox;
  const again: OutboxItem = { ...item, state: "waiting", failure: undefined, attempts: 0, notBeforeMs: 0 };
  return [...without(outbox, nonce), again];
}

function changed(outbox: Outbox, nonce: string, change: Partial<OutboxItem>): Outbox {
  return outbox.map((item) => (item.nonce === nonce ? { ...item, ...change } : item));
}

/** Items as text, for keeping. */
export function written(outbox: Outbox): string {
  return JSON.stringify(
    outbox.map(({ nonce, channelId, content, replyTo, createdAtMs, state, failure }) => ({
      nonce,
      channelId,
      content,
      replyTo,
      createdAtMs,
      state,
      failure,
    })),
  );
}

/** Kept items; none when the text is not ours. What was on its way when the tab ended is sent again: the nonce makes that harmless. */
export function read(text: string): Outbox {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return [];
  }
  const parsed = v.safeParse(KeptItems, raw);
  if (!parsed.success) return [];
  return parsed.output.map((item) => ({
    ...item,
    failure: item.failure,
    inFlight: false,
    attempts: 0,
    notBeforeMs: 0,
  }));
}

/** Two outboxes as one, in the order of writing, each message once. */
export function merged(one: Outbox, other: Outbox): Outbox {
  const known = new Set(one.map((item) => item.nonce));
  return [...one, ...other.filter((item) => !known.has(item.nonce))].toSorted((a, b) => a.createdAtMs - b.createdAtMs);
}
