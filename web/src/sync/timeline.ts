/**
 * One channel's messages as a window over its `seq` space. Pure: state in, state out; `conversation.ts` does the asking.
 *
 * ```
 *  seq   1 ···· oldest ══════════ newest ···· lastSeq          ══ held, without holes
 *               └──── messages ────┘                           `seen`: every event up to it is reflected in what is held
 *        hasOlder                    hasNewer
 * ```
 * Every event of a channel (new, edited, reacted, deleted) has the next `seq`. One that skips a number waits in `ahead` until the
 * missing ones came or a `sync` told what they did. Whatever the order, loss and repetition of events, pages and syncs,
 * the window ends up as the server's (the property test beside this file).
 */
import type { Message, Reaction } from "@lescopains/protocol/entities";
import type { ChannelId, MessageId, Seq, UserId } from "@lescopains/protocol/ids";
import type { HistoryPage } from "@lescopains/protocol/rest";
import type { DownBody } from "@lescopains/protocol/down";

/** A change of an existing message. `reacted`: somebody's reaction came or, not `on`, went. `whole`: the message as it stood after the change. */
export type Change =
  | { readonly kind: "edited"; readonly edit: DownBody<"message:edited"> }
  | { readonly kind: "deleted"; readonly deletion: DownBody<"message:deleted"> }
  | { readonly kind: "reacted"; readonly on: boolean; readonly reaction: DownBody<"reaction:added"> }
  | { readonly kind: "whole"; readonly message: Message };

/** An event of the channel. */
export type TimelineEvent =
  | { readonly kind: "new"; readonly message: Message }
  | Exclude<Change, { readonly kind: "whole" }>;

export interface Timeline {
  readonly channelId: ChannelId;
  /** By `seq`, without holes between the first and the last. */
  readonly messages: readonly Message[];
  /** False until the newest page arrived; until then events only wait in `ahead`. */
  readonly loaded: boolean;
  readonly seen: Seq;
  /**
   * A `sync` told only its first part. A message that changed later than `seen` may then be missing, although it is older:
   * no event can be applied until the rest is told.
   */
  readonly partial: boolean;
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
  /** Events received beyond a hole, by `seq`. */
  readonly ahead: ReadonlyMap<Seq, TimelineEvent>;
  /** Pages on their way. */
  readonly pagesAsked: number;
  /** Changes of messages not held, in order: a page on its way may have been read before them. Kept only while one is. */
  readonly strays: ReadonlyMap<MessageId, readonly Change[]>;
}

/** Beyond this many waiting events a `sync` is the cheaper way; the rest is dropped and asked for. */
const AHEAD_MAX = 1_000;

const NO_EVENTS: ReadonlyMap<Seq, TimelineEvent> = new Map();
const NO_STRAYS: ReadonlyMap<MessageId, readonly Change[]> = new Map();

export function emptyTimeline(channelId: ChannelId): Timeline {
  return {
    channelId,
    messages: [],
    loaded: false,
    seen: 0,
    partial: false,
    hasOlder: false,
    hasNewer: false,
    ahead: NO_EVENTS,
    pagesAsked: 0,
    strays: NO_STRAYS,
  };
}

/** The `seq` that an event took. */
export function eventSeq(event: TimelineEvent): Seq {
  return event.kind === "new" ? event.message.seq : changeOf(event).seq;
}

/** What every change of a message names: which one, and the event. */
function changeOf(change: Exclude<Change, { readonly kind: "whole" }>): { readonly id: MessageId; readonly seq: Seq } {
  if (change.kind === "edited") return change.edit;
  return change.kind === "reacted" ? change.reaction : change.deletion;
}

/** An event arrived, in whatever order. */
export function received(timeline: Timeline, event: TimelineEvent): Timeline {
  const seq = eventSeq(event);
  if (timeline.loaded && seq <= timeline.seen) return repeated(timeline, event);
  if (timeline.loaded && !timeline.partial && seq === timeline.seen + 1) return drained(applied(timeline, event));
  if (timeline.ahead.has(seq) || timeline.ahead.size >= AHEAD_MAX) return timeline;
  return { ...timeline, ahead: new Map(timeline.ahead).set(seq, event) };
}

/** The `seq` after which something is missing, when something is. `knownLastSeq`: how far the channel is known to reach. */
export function missingAfter(timeline: Timeline, knownLastSeq: Seq): Seq | undefined {
  if (!timeline.loaded) return undefined;
  return timeline.partial || timeline.ahead.size > 0 || knownLastSeq > timeline.seen ? timeline.seen : undefined;
}

/** A page is being asked for: from now on changes of messages not held are kept for it. */
export function pageAsked(timeline: Timeline): Timeline {
  return { ...timeline, pagesAsked: timeline.pagesAsked + 1 };
}

/** A page did not come. */
export function pageFailed(timeline: Timeline): Timeline {
  const pagesAsked = timeline.pagesAsked - 1;
  return { ...timeline, pagesAsked, strays: pagesAsked === 0 ? NO_STRAYS : timeline.strays };
}

/** The newest page arrived, for a timeline that held nothing. */
export function newestPage(timeline: Timeline, page: HistoryPage): Timeline {
  if (timeline.loaded) return timeline;
  return drained({
    ...timeline,
    messages: bySeq(page.messages),
    loaded: true,
    seen: page.lastSeq,
    hasOlder: page.hasMore,
    hasNewer: false,
  });
}

/** The page before `before` arrived. Dropped when the window no longer begins there. */
export function olderPage(timeline: Timeline, page: HistoryPage, before: Seq): Timeline {
  const arrived = pageFailed(timeline);
  if (timeline.messages[0]?.seq !== before) return arrived;
  const older = caughtUp(timeline, page.messages).filter((message) => message.seq < before);
  return { ...arrived, messages: [...older, ...timeline.messages], hasOlder: page.hasMore };
}

/** The page after `after` arrived. Dropped when the window no longer ends there. */
export function newerPage(timeline: Timeline, page: HistoryPage, after: Seq): Timeline {
  const arrived = pageFailed(timeline);
  if (!timeline.hasNewer || timeline.messages.at(-1)?.seq !== after) return arrived;
  const newer = caughtUp(timeline, page.messages).filter((message) => message.seq > after);
  return {
    ...arrived,
    messages: [...timeline.messages, ...newer],
    // Messages that came while the page was on its way were not held: then there is one more page to ask for.
    hasNewer: page.hasMore || page.lastSeq < timeline.seen,
  };
}

/** What a `sync` tells of one channel. */
export interface SyncAnswer {
  readonly messages: readonly Message[];
  readonly lastSeq: Seq;
  readonly more: boolean;
}

/** A `sync` asked from `after` was answered. */
export function synced(timeline: Timeline, answer: SyncAnswer, after: Seq): Timeline {
  if (!timeline.loaded || after > timeline.seen) return timeline;
  let next = timeline;
  for (const message of answer.messages) next = placed(next, message);
  const reached = answer.more ? (answer.messages.at(-1)?.changedSeq ?? after) : answer.lastSeq;
  if (reached < timeline.seen) return next;
  return drained({ ...next, seen: reached, partial: answer.more && (reached > timeline.seen || timeline.partial) });
}

/** Forgets the oldest messages beyond `keep`. */
export function trimmedToNewest(timeline: Timeline, keep: number): Timeline {
  if (timeline.messages.length <= keep) return timeline;
  return { ...timeline, messages: timeline.messages.slice(-keep), hasOlder: true };
}

/** Forgets the newest messages beyond `keep`, for a reader far in the past. */
export function trimmedToOldest(timeline: Timeline, keep: number): Timeline {
  if (timeline.messages.length <= keep) return timeline;
  return { ...timeline, messages: timeline.messages.slice(0, keep), hasNewer: true };
}

/** An event that is already reflected. Only one can still tell something: a new message that stands here as its acknowledgement told it. */
function repeated(timeline: Timeline, event: TimelineEvent): Timeline {
  if (event.kind !== "new") return timeline;
  const index = indexOfSeq(timeline.messages, event.message.seq);
  const held = timeline.messages[index];
  if (held?.id !== event.message.id || held.changedSeq > event.message.changedSeq) return timeline;
  return { ...timeline, messages: timeline.messages.with(index, event.message) };
}

/** The next event in line. */
function applied(timeline: Timeline, event: TimelineEvent): Timeline {
  const next = event.kind === "new" ? placed(timeline, event.message) : changed(timeline, event);
  return { ...next, seen: eventSeq(event) };
}

/** Applies what was waiting, as far as it now follows without a hole. */
function drained(timeline: Timeline): Timeline {
  if (timeline.ahead.size === 0 || timeline.partial) return timeline;
  const ahead = new Map([...timeline.ahead].filter(([seq]) => seq > timeline.seen));
  let next: Timeline = timeline;
  for (let event = ahead.get(next.seen + 1); event !== undefined; event = ahead.get(next.seen + 1)) {
    ahead.delete(eventSeq(event));
    next = applied(next, event);
  }
  return { ...next, ahead: ahead.size === 0 ? NO_EVENTS : ahead };
}

function changed(timeline: Timeline, change: TimelineEvent & Change): Timeline {
  const { id } = changeOf(change);
  const index = timeline.messages.findLastIndex((message) => message.id === id);
  const held = timeline.messages[index];
  if (held === undefined) return astray(timeline, id, change);
  return { ...timeline, messages: timeline.messages.with(index, withChange(held, change)) };
}

/** Puts a whole message where it belongs, if that is within the window. The later state of a message wins. */
function placed(timeline: Timeline, message: Message): Timeline {
  const { messages } = timeline;
  const index = indexOfSeq(messages, message.seq);
  const held = messages[index];
  if (held?.seq === message.seq) {
    return held.changedSeq > message.changedSeq ? timeline : { ...timeline, messages: messages.with(index, message) };
  }
  if ((index === 0 && timeline.hasOlder) || (index === messages.length && timeline.hasNewer)) {
    return astray(timeline, message.id, { kind: "whole", message });
  }
  return { ...timeline, messages: messages.toSpliced(index, 0, message) };
}

function astray(timeline: Timeline, id: MessageId, change: Change): Timeline {
  if (timeline.pagesAsked === 0) return timeline;
  const changes = [...(timeline.strays.get(id) ?? []), change];
  return { ...timeline, strays: new Map(timeline.strays).set(id, changes) };
}

/** A page's messages by `seq`, with what changed while it was on its way. */
function caughtUp(timeline: Timeline, messages: readonly Message[]): Message[] {
  return bySeq(messages).map((message) => (timeline.strays.get(message.id) ?? []).reduce(withChange, message));
}

/** A message after a change, unless it already stands later than that. */
function withChange(message: Message, change: Change): Message {
  if (change.kind === "whole") return message.changedSeq >= change.message.changedSeq ? message : change.message;
  if (change.kind === "edited") {
    const { seq, content, encrypted, metadata, editedAt } = change.edit;
    if (message.changedSeq >= seq) return message;
    return { ...message, changedSeq: seq, content, encrypted, metadata, editedAt };
  }
  if (change.kind === "reacted") {
    const { seq, emoji, userId } = change.reaction;
    if (message.changedSeq >= seq) return message;
    return { ...message, changedSeq: seq, reactions: withReaction(message.reactions, emoji, userId, change.on) };
  }
  const { seq } = change.deletion;
  if (message.changedSeq >= seq) return message;
  return { ...message, changedSeq: seq, content: "", metadata: null, deleted: true, reactions: [] };
}

/** The reactions with one person's added at the end, or taken away; an emoji keeps its place, and goes with its last person. */
export function withReaction(reactions: readonly Reaction[], emoji: string, userId: UserId, on: boolean): Reaction[] {
  const known = reactions.find((one) => one.emoji === emoji);
  if (on === (known?.userIds.includes(userId) ?? false)) return [...reactions];
  if (known === undefined) return [...reactions, { emoji, userIds: [userId] }];
  const userIds = on ? [...known.userIds, userId] : known.userIds.filter((id) => id !== userId);
  return reactions.map((one) => (one === known ? { emoji, userIds } : one)).filter((one) => one.userIds.length > 0);
}

function bySeq(messages: readonly Message[]): Message[] {
  return messages.toSorted((a, b) => a.seq - b.seq);
}

/** Index of the message with this `seq`, or where it would be inserted. */
export function indexOfSeq(messages: readonly Message[], seq: Seq): number {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((messages[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
