import type { ChannelId, Seq, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import type { HistoryPage } from "@lescopains/protocol/rest";
import { batch, computed, signal } from "@preact/signals";
import { type ApiError, asApiError } from "../net/api-error.ts";
import type { Api } from "../net/rest.ts";
import type { Socket } from "../net/socket.ts";
import type { Drafts } from "./drafts.ts";
import type { Conversation, TimelineView } from "./live-types.ts";
import type { Outbox } from "./outbox.ts";
import { createOverlays } from "./overlays.ts";
import type { Clock, Page } from "./ports.ts";
import { createWishes } from "./reacting.ts";
import { createReader, reachBack, reachesLine } from "./reader.ts";
import {
  emptyTimeline,
  eventSeq,
  missingAfter,
  newerPage,
  newestPage,
  olderPage,
  pageAsked,
  pageFailed,
  received,
  type SyncAnswer,
  synced,
  type Timeline,
  type TimelineEvent,
  trimmedToNewest,
  trimmedToOldest,
} from "./timeline.ts";
import type { TypingBook } from "./typing.ts";
import type { UnreadBook } from "./unread.ts";

export interface ConversationDeps {
  readonly selfId: UserId;
  readonly api: Api;
  readonly socket: Pick<Socket, "emit" | "insist">;
  readonly outbox: Outbox;
  readonly drafts: Drafts;
  readonly typing: TypingBook;
  readonly unread: UnreadBook;
  readonly clock: Clock;
  readonly page: Page;
  /** Something is missing after `seq`: a `sync` is wanted. */
  readonly wantSync: (conversation: ConversationShell) => void;
  /** It was opened or left: memory may be tidied. */
  readonly used: (conversation: ConversationShell) => void;
}

/** A conversation as `live.ts` drives it. */
export interface ConversationShell extends Conversation {
  readonly receive: (event: TimelineEvent) => void;
  /** The last contiguous `seq`, when messages are held. */
  readonly position: () => Seq | undefined;
  readonly missing: () => Seq | undefined;
  readonly applySync: (answer: SyncAnswer, after: Seq) => void;
  /** Far behind, or no longer visible: forgets what is held, and loads anew if someone looks. */
  readonly reset: () => void;
  readonly isOpen: () => boolean;
  readonly reconnected: () => void;
  /** Keeps only the newest messages of a conversation that nobody looks at. */
  readonly shrink: () => void;
}

/** Messages held at most for a reader who goes back and back. */
const HELD_MAX = 50_000;
const HELD_AFTER_TRIM = 40_000;
/** Messages kept of a conversation that is not open. */
const KEPT_CLOSED = 200;
const TYPING_EVERY_MS = 5_000;
/** Who goes on writing after a message is told sooner, but not within the 2 s in which the server passes nothing on. */
const TYPING_AFTER_SEND_MS = 2_500;

/** One conversation: a timeline with its requests, and what a person does there. */
export function createConversation(channelId: ChannelId, deps: ConversationDeps): ConversationShell {
  const held = signal<Timeline>(emptyTimeline(channelId));
  const loading = signal<TimelineView["loading"]>("none");
  const error = signal<ApiError | undefined>(undefined);
  const overlays = createOverlays();
  const wishes = createWishes(deps.selfId);
  const unread = deps.unread.of(channelId);
  const reader = createReader({ ...deps, unread, used: () => deps.used(self), mark });
  /** While the newest messages are loaded in place of others, these stay in view. */
  const shown = signal<Timeline | undefined>(undefined);

  let noTypingBeforeMs = 0;
  let lastTypingMs = 0;

  const timeline = computed<TimelineView>(() => {
    const { messages, loaded, hasOlder, hasNewer } = shown.value ?? held.value;
    return { messages, loaded, hasOlder, hasNewer, loading: loading.value, error: error.value };
  });

  function set(next: Timeline): void {
    if (next === held.peek()) return;
    held.value = next;
    confirmPending(next);
    const first = next.messages[0];
    if (next.loaded && !next.hasNewer) {
      deps.unread.count(channelId, next.messages, next.hasOlder ? (first?.seq ?? 0) : 0);
    }
    if (missingAfter(next, 0) !== undefined) deps.wantSync(self);
  }

  /** What a page or a `sync` brought of one's own is no longer pending, though its acknowledgement was lost. */
  function confirmPending({ messages }: Timeline): void {
    const nonces = new Set(self.pending.peek().map(({ nonce }) => nonce));
    if (nonces.size === 0) return;
    for (const { authorId, nonce } of messages.slice(-2 * LIMITS.historyPage)) {
      if (authorId === deps.selfId && nonces.has(nonce)) deps.outbox.confirmed(nonce);
    }
  }

  function fetchPage(query: { before?: Seq; after?: Seq }): Promise<HistoryPage> {
    return deps.api.call("listMessages", {
      params: { id: channelId },
      query: { ...query, limit: LIMITS.historyPage },
    });
  }

  /** One page at a time. `take` runs with the answer; a failure leaves what is held as it was. */
  async function load(
    kind: "newest" | "older" | "newer",
    query: { before?: Seq; after?: Seq },
    take: (page: HistoryPage) => void,
  ): Promise<boolean> {
    if (loading.peek() !== "none") return false;
    batch(() => {
      loading.value = kind;
      error.value = undefined;
      if (kind !== "newest") held.value = pageAsked(held.peek());
    });
    const asked = generation;
    try {
      const page = await fetchPage(query);
      if (asked !== generation) return false;
      batch(() => {
        loading.value = "none";
        take(page);
      });
      return true;
    } catch (thrown) {
      if (asked !== generation) return false;
      batch(() => {
        loading.value = "none";
        error.value = asApiError(thrown);
        if (kind !== "newest") held.value = pageFailed(held.peek());
        else shown.value = undefined;
      });
      return false;
    }
  }

  /** Grows when everything held is forgotten, so that pages asked before are not taken. */
  let generation = 0;

  function forget(): void {
    generation += 1;
    batch(() => {
      held.value = emptyTimeline(channelId);
      loading.value = "none";
      error.value = undefined;
    });
  }

  function loadNewest(): void {
    if (held.peek().loaded) return;
    void load("newest", {}, (page) => {
      shown.value = undefined;
      set(newestPage(held.peek(), page));
    });
  }

  async function loadOlder(): Promise<boolean> {
    const { messages, hasOlder } = held.peek();
    const before = messages[0]?.seq;
    if (!hasOlder || before === undefined) return false;
    return await load("older", { before }, (page) => {
      const next = olderPage(held.peek(), page, before);
      set(next.messages.length > HELD_MAX ? trimmedToOldest(next, HELD_AFTER_TRIM) : next);
    });
  }

  function loadNewer(): void {
    const { messages, hasNewer } = held.peek();
    const after = messages.at(-1)?.seq;
    if (!hasNewer || after === undefined) return;
    void load("newer", { after }, (page) => {
      const next = newerPage(held.peek(), page, after);
      set(next.messages.length > HELD_MAX ? trimmedToNewest(next, HELD_AFTER_TRIM) : next);
    });
  }

  function jumpToPresent(): void {
    if (held.peek().loaded && !held.peek().hasNewer) return;
    batch(() => {
      shown.value = held.peek();
      forget();
      loadNewest();
    });
  }

  /** Asks for a change that shows already, and lets go of it: for the event's own words when accepted, for the old ones when refused. */
  async function change(undo: () => void, ask: () => Promise<TimelineEvent | undefined>): Promise<void> {
    try {
      const event = await ask();
      batch(() => {
        if (event !== undefined) receive(event);
        undo();
      });
    } catch (thrown) {
      undo();
      throw asApiError(thrown);
    }
  }

  function receive(event: TimelineEvent): void {
    const before = held.peek();
    const next = received(before, event);
    if (event.kind === "new") reader.noteNew(event.message.authorId);
    set(next);
    // While the newest page is on its way the event waits for it; nothing to do then.
    if (next.loaded && eventSeq(event) > next.seen) deps.wantSync(self);
  }

  async function mark(seq: Seq): Promise<boolean> {
    try {
      await deps.socket.emit("read:mark", { channelId, seq });
      return true;
    } catch (thrown) {
      return !asApiError(thrown).retry;
    }
  }

  const self: ConversationShell = {
    channelId,
    timeline,
    pending: deps.outbox.pending(channelId),
    overlays: overlays.all,
    wishes: wishes.all,
    unreadFrom: reader.unreadFrom,
    draft: deps.drafts.of(channelId),
    typing: deps.typing.of(channelId),
    unread,
    open: () =>
      reader.open(() => {
        if (held.peek().hasNewer) forget();
        loadNewest();
      }),
    loadOlder: () => void loadOlder(),
    loadNewer,
    reload() {
      error.value = undefined;
      if (held.peek().loaded) void loadOlder();
      else loadNewest();
    },
    jumpToPresent,
    // Ids are UUIDv7 and sort by time: a message is older than the first that is held, or nowhere.
    reach: (messageId) =>
      reachBack(
        held,
        loadOlder,
        ({ messages }) => messages.some(({ id }) => id === messageId),
        ({ messages: [oldest] }) => oldest !== undefined && oldest.id < messageId,
      ),
    reachUnread: () => reachBack(held, loadOlder, (now) => reachesLine(now, reader.unreadFrom.peek())),
    send(input) {
      batch(() => {
        jumpToPresent();
        reader.clearLine();
        noTypingBeforeMs = lastTypingMs + TYPING_AFTER_SEND_MS;
        deps.outbox.send(channelId, input);
      });
    },
    retry: deps.outbox.retry,
    discard: deps.outbox.discard,
    edit: (messageId, content) =>
      change(overlays.show(messageId, { kind: "edited", content }), async () => {
        const { id, seq, editedAt } = await deps.socket.insist("message:edit", { channelId, messageId, content });
        return { kind: "edited", edit: { id, channelId, seq, content, encrypted: false, metadata: null, editedAt } };
      }),
    remove: (messageId) =>
      change(overlays.show(messageId, { kind: "deleted" }), async () => {
        const deleted = await deps.socket.insist("message:delete", { channelId, messageId }).catch(unlessGone);
        return deleted && { kind: "deleted", deletion: { id: messageId, channelId, seq: deleted.seq } };
      }),
    react: (messageId, emoji, on) =>
      change(wishes.add(messageId, emoji, on), async () => {
        const what = { channelId, messageId, emoji };
        const { seq } = await deps.socket.insist(on ? "reaction:add" : "reaction:remove", what);
        if (seq === null) return undefined;
        return { kind: "reacted", on, reaction: { id: messageId, channelId, seq, userId: deps.selfId, emoji } };
      }),
    setDraft: (text) => deps.drafts.set(channelId, text),
    noteTyping() {
      const nowMs = deps.clock.now();
      if (nowMs < noTypingBeforeMs) return;
      lastTypingMs = nowMs;
      noTypingBeforeMs = nowMs + TYPING_EVERY_MS;
      // Nobody needs to know that it was not told.
      deps.socket.emit("typing:start", { channelId }).catch(() => undefined);
    },
    noteSeen() {
      const { lastSeq, readSeq } = unread.peek();
      const { loaded, hasNewer, seen } = held.peek();
      const seq = Math.max(lastSeq, loaded ? seen : 0);
      if (!loaded || hasNewer || seq <= readSeq || !deps.page.attentive()) return;
      deps.unread.markRead(channelId, seq);
      reader.seen(seq);
    },
    clearUnreadLine: reader.clearLine,
    receive,
    position: () => (held.peek().loaded ? held.peek().seen : undefined),
    missing: () => missingAfter(held.peek(), unread.peek().lastSeq),
    applySync: (answer, after) => set(synced(held.peek(), answer, after)),
    reset() {
      shown.value = undefined;
      forget();
      if (reader.isOpen()) loadNewest();
    },
    isOpen: reader.isOpen,
    reconnected() {
      reader.markAgain();
      error.value = undefined;
      if (reader.isOpen()) loadNewest();
    },
    shrink() {
      if (reader.isOpen()) return;
      if (held.peek().hasNewer) forget();
      else held.value = trimmedToNewest(held.peek(), KEPT_CLOSED);
    },
  };
  return self;
}

/** Somebody else was first, or an answer was lost: it is as wished. */
function unlessGone(error: unknown): undefined {
  if (asApiError(error).code !== "not_found") throw error;
}
