/** What the message list shows, decided without a DOM: rows, groups, days, the unread line, when to load and when to follow. */
import type { DirectChannel, Message, User } from "@lescopains/protocol/entities";
import type { Seq, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import type { DmMessage, DmNotice, Unreadable } from "../../keys/port.ts";
import type { Overlay, PendingMessage } from "../../sync/live-types.ts";
import { indexOfSeq } from "../../sync/timeline.ts";

/** Messages of one author closer than this stand under one heading. */
const GROUP_MS = 5 * 60_000;

/** Everything that stands in the list, in order: what the server has, then what it is yet to have. */
export interface Rows {
  readonly messages: readonly Message[];
  readonly pending: readonly PendingMessage[];
  readonly selfId: UserId;
  /** Index of the first new message; -1 when nothing is new, or when it is not loaded. */
  readonly newIndex: number;
  /** Lines that are no messages, by the `seq` they stand after. */
  readonly notices: readonly DmNotice[];
}

/** The same empty list each time, so that nothing is made anew because of it. */
export const NO_NOTICES: readonly DmNotice[] = [];

export type Entry =
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "pending"; readonly pending: PendingMessage };

/** One line of the list. */
export interface Row {
  /** Stays the same when a pending message becomes a stored one, so that nothing is drawn anew. */
  readonly key: string;
  readonly entry: Entry;
  readonly authorId: UserId | null;
  readonly atMs: number;
  /** Has a heading with its author and time. */
  readonly startsGroup: boolean;
  /** The first of its day: a rule with the date stands above it. */
  readonly startsDay: boolean;
  /** The line "new" stands above it. */
  readonly startsNew: boolean;
  /** Lines above it, and below it when it is the last. */
  readonly noticesAbove: readonly DmNotice[];
  readonly noticesBelow: readonly DmNotice[];
}

/**
 * Makes the rows. `unreadFrom`: the `seq` at which the reader stopped. The line stands before the first message of
 * someone else after it, and nowhere if that message isn't loaded yet.
 */
export function rowsOf(
  messages: readonly Message[],
  pending: readonly PendingMessage[],
  selfId: UserId,
  unreadFrom: Seq | undefined,
  hasOlder: boolean,
  notices: readonly DmNotice[] = NO_NOTICES,
): Rows {
  // Those from before the first message that is loaded have their place on an older page.
  const first = hasOlder ? (messages[0]?.seq ?? 0) : 0;
  const shown = first === 0 ? notices : notices.filter(({ afterSeq }) => afterSeq >= first);
  return {
    messages,
    pending,
    selfId,
    newIndex: newIndexOf(messages, selfId, unreadFrom, hasOlder),
    notices: shown,
  };
}

/** Lines between two entries of the list. `undefined`: its beginning, or its end. */
function noticesBetween(notices: readonly DmNotice[], before: Entry | undefined, after: Entry | undefined) {
  if (notices.length === 0) return NO_NOTICES;
  const from = before === undefined ? 0 : seqOf(before);
  const to = after === undefined ? Number.POSITIVE_INFINITY : seqOf(after);
  const found = notices.filter(({ afterSeq }) => afterSeq >= from && afterSeq < to);
  return found.length === 0 ? NO_NOTICES : found;
}

/** What is not stored yet stands after everything that is. */
function seqOf(entry: Entry): number {
  return entry.kind === "message" ? entry.message.seq : Number.POSITIVE_INFINITY;
}

function newIndexOf(
  messages: readonly Message[],
  selfId: UserId,
  unreadFrom: Seq | undefined,
  hasOlder: boolean,
): number {
  if (unreadFrom === undefined) return -1;
  const after = indexOfSeq(messages, unreadFrom + 1);
  if (after === 0 && hasOlder) return -1;
  for (let index = after; index < messages.length; index += 1) {
    const message = messages[index];
    if (message !== undefined && message.authorId !== selfId && !message.deleted) return index;
  }
  return -1;
}

/** How many messages of others stand below the line. */
export function newCount({ messages, selfId, newIndex }: Rows): number {
  if (newIndex < 0) return 0;
  let count = 0;
  for (let index = newIndex; index < messages.length; index += 1) {
    const message = messages[index];
    if (message !== undefined && message.authorId !== selfId && !message.deleted) count += 1;
  }
  return count;
}

export function rowCount({ messages, pending }: Rows): number {
  return messages.length + pending.length;
}

export function keyAt(rows: Rows, index: number): string {
  const message = rows.messages[index];
  if (message !== undefined) return keyOf(message, rows.selfId);
  return rows.pending[index - rows.messages.length]?.nonce ?? `none-${index}`;
}

/** One's own messages are known by the nonce from before they were stored; a nonce of somebody else proves nothing. */
function keyOf(message: Message, selfId: UserId): string {
  return message.authorId === selfId ? message.nonce : message.id;
}

/** The row at an index; made when it comes into view, so that 50,000 messages cost what 50 do. */
export function rowAt(rows: Rows, index: number): Row | undefined {
  const entry = entryAt(rows, index);
  if (entry === undefined) return undefined;
  const before = entryAt(rows, index - 1);
  const startsNew = index === rows.newIndex;
  const noticesAbove = noticesBetween(rows.notices, before, entry);
  const startsDay = before === undefined || dayOf(atMsOf(before)) !== dayOf(atMsOf(entry));
  return {
    key: keyAt(rows, index),
    entry,
    authorId: authorOf(entry, rows.selfId),
    atMs: atMsOf(entry),
    startsDay,
    startsNew,
    noticesAbove,
    noticesBelow: index === rowCount(rows) - 1 ? noticesBetween(rows.notices, entry, undefined) : NO_NOTICES,
    startsGroup:
      startsDay ||
      noticesAbove.length > 0 ||
      startsNew ||
      before === undefined ||
      replyOf(entry) !== null ||
      authorOf(before, rows.selfId) !== authorOf(entry, rows.selfId) ||
      atMsOf(entry) - atMsOf(before) > GROUP_MS,
  };
}

export function sameRow(a: Row, b: Row): boolean {
  return (
    a.key === b.key &&
    entryBody(a.entry) === entryBody(b.entry) &&
    a.startsDay === b.startsDay &&
    a.startsGroup === b.startsGroup &&
    a.startsNew === b.startsNew &&
    sameNotices(a.noticesAbove, b.noticesAbove) &&
    sameNotices(a.noticesBelow, b.noticesBelow)
  );
}

function sameNotices(a: readonly DmNotice[], b: readonly DmNotice[]): boolean {
  return a.length === b.length && a.every((notice, index) => notice.id === b[index]?.id);
}

/** Why a direct message shows no words; undefined when it does, and in channels of servers. */
export function unreadableOf(message: Message): Unreadable | undefined {
  return (message as Partial<DmMessage>).unreadable ?? undefined;
}

/** Whether it is a call that its author made and nobody answered; only direct messages are. */
export function isMissedCall(body: Message | PendingMessage): boolean {
  return "missedCall" in body && body.missedCall;
}

export function entryBody(entry: Entry): Message | PendingMessage {
  return entry.kind === "message" ? entry.message : entry.pending;
}

function entryAt({ messages, pending }: Rows, index: number): Entry | undefined {
  const message = messages[index];
  if (message !== undefined) return { kind: "message", message };
  const waiting = index < 0 ? undefined : pending[index - messages.length];
  return waiting === undefined ? undefined : { kind: "pending", pending: waiting };
}

function authorOf(entry: Entry, selfId: UserId): UserId | null {
  return entry.kind === "message" ? entry.message.authorId : selfId;
}

export function replyOf(entry: Entry): Message["id"] | null {
  return entry.kind === "message" ? entry.message.replyTo : entry.pending.replyTo;
}

const parsedAt = new WeakMap<Message, number>();

/** Parsing a date for each row and each neighbour at each frame would be felt. */
function atMsOf(entry: Entry): number {
  if (entry.kind === "pending") return entry.pending.createdAtMs;
  const known = parsedAt.get(entry.message);
  if (known !== undefined) return known;
  const atMs = Date.parse(entry.message.createdAt);
  parsedAt.set(entry.message, atMs);
  return atMs;
}

/** A number for each calendar day of the reader's time zone. */
export function dayOf(atMs: number): number {
  const date = new Date(atMs);
  return date.getFullYear() * 10_000 + date.getMonth() * 100 + date.getDate();
}

/** Text of an entry as it shows now, with what was just changed and is not confirmed. `null`: deleted. */
export function contentOf(entry: Entry, overlay: Overlay | undefined): string | null {
  if (entry.kind === "pending") return entry.pending.content;
  if (entry.message.deleted || overlay?.kind === "deleted") return null;
  return overlay?.kind === "edited" ? overlay.content : entry.message.content;
}

/** The last message that its author, the reader, can still edit. */
export function lastOwnMessage({ messages, selfId }: Rows): Message | undefined {
  return messages.findLast(
    (message) => message.authorId === selfId && !message.deleted && !message.encrypted && !isMissedCall(message),
  );
}

/** Who of a direct conversation has read up to `seq`, as they said themselves; the reader aside. */
export function readersOf(
  seq: Seq,
  readBy: Readonly<Record<UserId, Seq>>,
  { participants }: Pick<DirectChannel, "participants">,
  selfId: UserId,
): readonly User[] {
  return participants.filter(({ id }) => id !== selfId && (readBy[id] ?? 0) >= seq);
}

const CHARS_A_LINE = 84;
const LINE_PX = 22;
const ROW_PX = 6;
const GROUP_PX = 38;
const REACTIONS_PX = 34;
const LONGEST_ESTIMATE_LINES = 60;

/** About how high a row will be, in CSS pixels, before it is drawn: near enough that the scroll bar stays calm. */
export function estimatedHeightPx(rows: Rows, index: number): number {
  const message = rows.messages[index];
  const before = rows.messages[index - 1];
  const content = message?.content ?? rows.pending[index - rows.messages.length]?.content ?? "";
  let lines = 1 + Math.floor(content.length / CHARS_A_LINE);
  for (
    let at = content.indexOf("\n");
    at !== -1 && lines < LONGEST_ESTIMATE_LINES;
    at = content.indexOf("\n", at + 1)
  ) {
    lines += 1;
  }
  const groups = message !== undefined && before?.authorId !== message.authorId;
  const reactions = (message?.reactions.length ?? 0) > 0 ? REACTIONS_PX : 0;
  return ROW_PX + lines * LINE_PX + (groups ? GROUP_PX : 0) + reactions;
}

/** Where the reader is in the list. */
export interface ScrollPlace {
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly count: number;
}

/** Rows still to come when the next page is asked for: about two screens, so that it is there before it is reached. */
const LOAD_AHEAD = 40;

export function wantsOlder({ firstIndex }: ScrollPlace): boolean {
  return firstIndex < LOAD_AHEAD;
}

export function wantsNewer({ lastIndex, count }: ScrollPlace): boolean {
  return lastIndex >= count - LOAD_AHEAD;
}

/** The count of characters is shown from here on; below, nobody needs it. */
const COUNT_FROM = LIMITS.contentLength - 200;

/** Characters that still fit, when it is time to show them; negative when there are too many. */
export function remainingShown(text: string): number | undefined {
  return text.length >= COUNT_FROM ? LIMITS.contentLength - text.length : undefined;
}

/** Whether a text can be sent: not only blanks, not too long. */
export function sendableText(text: string): boolean {
  return text.trim().length > 0 && text.length <= LIMITS.contentLength;
}
