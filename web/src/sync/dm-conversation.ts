import type { ErrorCode } from "@lescopains/protocol/errors";
import { type DmChange, isDmChange } from "../keys/dm-content.ts";
import type { ChannelId, MessageId, Seq, UserId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { batch, computed, signal } from "@preact/signals";
import {
  type DmContent,
  type DmMessage,
  type DmNotice,
  type DmPending,
  KeysError,
  type KeysPort,
  type KeysRefusal,
} from "../keys/port.ts";
import { ApiError } from "../net/api-error.ts";
import type { ConversationShell } from "./conversation.ts";
import type { Drafts } from "./drafts.ts";
import type { PendingMessage, TimelineView } from "./live-types.ts";
import { createOverlays } from "./overlays.ts";
import type { Clock, Page, RandomUuid } from "./ports.ts";
import { createWishes } from "./reacting.ts";
import { createReader, reachBack, reachesLine } from "./reader.ts";
import type { TypingBook } from "./typing.ts";
import type { Unkept } from "./unkept.ts";
import type { UnreadBook } from "./unread.ts";

export interface DmConversationDeps {
  readonly selfId: UserId;
  readonly keys: KeysPort;
  readonly drafts: Drafts;
  readonly unkept: Unkept;
  readonly typing: TypingBook;
  readonly unread: UnreadBook;
  readonly clock: Clock;
  readonly page: Page;
  readonly randomUuid: RandomUuid;
  /** Someone else in it is online: what passes by would be seen. */
  readonly someoneThere: () => boolean;
  readonly used: (conversation: ConversationShell) => void;
}

/** A direct conversation as `live.ts` drives it: what a channel's has, and what the device tells. */
export interface DmShell extends ConversationShell {
  readonly take: (messages: readonly DmMessage[], gone: readonly MessageId[]) => void;
  readonly takePending: (pending: readonly DmPending[]) => void;
  readonly takeNotices: (now: readonly DmNotice[]) => void;
}

interface Held {
  /** By `seq`, without holes as far as the device has them. */
  readonly messages: readonly DmMessage[];
  readonly loaded: boolean;
  readonly hasOlder: boolean;
}

const EMPTY: Held = { messages: [], loaded: false, hasOlder: false };
const KEPT_CLOSED = 200;
const TYPING_EVERY_MS = 5_000;

/**
 * One direct conversation: the same as a channel's for whoever shows it, read from this browser's device instead of the server. The device
 * has everything in order, so there are no holes to fill here.
 */
export function createDmConversation(channelId: ChannelId, deps: DmConversationDeps): DmShell {
  const held = signal<Held>(EMPTY);
  const loading = signal<TimelineView["loading"]>("none");
  const error = signal<ApiError | undefined>(undefined);
  const overlays = createOverlays();
  const wishes = createWishes(deps.selfId);
  const notices = signal<readonly DmNotice[]>([]);
  const fromDevice = signal<readonly DmPending[]>([]);
  /** Written, and not yet known to the device. */
  const justWritten = signal<readonly PendingMessage[]>([]);
  const unread = deps.unread.of(channelId);
  const reader = createReader({ ...deps, unread, used: () => deps.used(self), mark });

  let noTypingBeforeMs = 0;
  /** Grows when everything held is forgotten, so that pages asked before are not taken. */
  let generation = 0;
  /** What came while a page was on its way: it may have been read before. */
  let meanwhile: { messages: DmMessage[]; gone: MessageId[] } | undefined;

  const timeline = computed<TimelineView>(() => ({
    ...held.value,
    hasNewer: false,
    loading: loading.value,
    error: error.value,
  }));

  const pending = computed<readonly PendingMessage[]>(() => {
    const told = fromDevice.value.flatMap((one) => {
      const { content } = one;
      return isDmChange(content) ? [] : [pendingOf(one, content)];
    });
    const known = new Set(told.map(({ nonce }) => nonce));
    const all = [...told, ...justWritten.value.filter(({ nonce }) => !known.has(nonce))];
    if (all.length === 0) return all;
    // What waits was looked up before it was told: a message may have been stored meanwhile.
    const own = held.value.messages.filter(({ authorId }) => authorId === deps.selfId);
    const stored = new Set(own.map(({ nonce }) => nonce));
    return all.filter(({ nonce }) => !stored.has(nonce));
  });

  async function load(kind: "newest" | "older", before: Seq | undefined): Promise<boolean> {
    if (loading.peek() !== "none") return false;
    batch(() => {
      loading.value = kind;
      error.value = undefined;
    });
    const asked = generation;
    meanwhile = { messages: [], gone: [] };
    try {
      const question = { channelId, limit: LIMITS.historyPage, ...(before === undefined ? {} : { before }) };
      const page = await deps.keys.ask("dm:history", question);
      if (asked !== generation) return false;
      const later = meanwhile;
      meanwhile = undefined;
      batch(() => {
        loading.value = "none";
        notices.value = page.notices;
        const { messages } = held.peek();
        // Of a window that was cut meanwhile, or lost its first message, this is not the page before.
        if (messages[0]?.seq === before) {
          held.value = { messages: [...page.messages, ...messages], loaded: true, hasOlder: page.hasMore };
        }
        take(later.messages, later.gone);
      });
      return true;
    } catch (thrown) {
      if (asked !== generation) return false;
      meanwhile = undefined;
      batch(() => {
        loading.value = "none";
        error.value = asServerError(thrown);
      });
      return false;
    }
  }

  function loadNewest(): void {
    if (!held.peek().loaded) void load("newest", undefined);
  }

  async function loadOlder(): Promise<boolean> {
    const { messages, hasOlder } = held.peek();
    const before = messages[0]?.seq;
    return hasOlder && before !== undefined && (await load("older", before));
  }

  function forget(): void {
    generation += 1;
    meanwhile = undefined;
    batch(() => {
      held.value = EMPTY;
      loading.value = "none";
      error.value = undefined;
    });
  }

  /** Messages that are new or changed, whatever their order. */
  function take(messages: readonly DmMessage[], gone: readonly MessageId[]): void {
    meanwhile?.messages.push(...messages);
    meanwhile?.gone.push(...gone);
    batch(() => {
      for (const message of messages) {
        overlays.drop(message.id);
        wishes.confirm(message);
        if (message.authorId !== null) deps.typing.stopped(channelId, message.authorId);
        noteUnseen(message);
      }
      const now = held.peek();
      if (now.loaded) held.value = { ...now, messages: placed(now, messages, gone) };
    });
  }

  function noteUnseen({ seq, authorId }: DmMessage): void {
    const last = held.peek().messages.at(-1)?.seq ?? 0;
    if (seq > last) reader.noteNew(authorId);
  }

  /** Sends a change that shows already; the device's own word replaces it. */
  async function change(undo: () => void, content: DmContent): Promise<void> {
    try {
      await deps.unkept.send(channelId, deps.randomUuid(), content);
    } catch (thrown) {
      undo();
      throw asServerError(thrown);
    }
  }

  /** A change that was refused shows no longer, and waits for nobody. */
  function dropRefused(now: readonly DmPending[]): void {
    for (const { content, state, nonce } of now) {
      if (!isDmChange(content) || state !== "failed") continue;
      if (content.kind === "reaction") wishes.drop(content.messageId, content.emoji);
      else overlays.drop(content.messageId);
      deps.keys.ask("dm:discard", { nonce }).catch(() => undefined);
    }
  }

  async function write(nonce: string, content: DmMessageContent): Promise<void> {
    const written = { nonce, channelId, createdAtMs: deps.clock.now() };
    const waiting = pendingOf({ ...written, state: "waiting", failure: null }, content);
    justWritten.value = [...justWritten.peek().filter((one) => one.nonce !== nonce), waiting];
    try {
      await deps.unkept.send(channelId, nonce, content);
      justWritten.value = justWritten.peek().filter((one) => one.nonce !== nonce);
    } catch (thrown) {
      const failed = { ...waiting, state: "failed" as const, ...whyOf(refusalOf(thrown)) };
      justWritten.value = justWritten.peek().map((one) => (one.nonce === nonce ? failed : one));
    }
  }

  /** The device keeps it, or never will. */
  async function mark(seq: Seq): Promise<boolean> {
    await deps.keys.ask("dm:read", { channelId, seq }).catch(() => undefined);
    return true;
  }

  const self: DmShell = {
    channelId,
    timeline,
    pending,
    overlays: overlays.all,
    wishes: wishes.all,
    notices,
    unreadFrom: reader.unreadFrom,
    draft: deps.drafts.of(channelId),
    typing: deps.typing.of(channelId),
    unread,
    open: () => reader.open(loadNewest),
    loadOlder: () => void loadOlder(),
    loadNewer: () => undefined,
    reload() {
      error.value = undefined;
      if (held.peek().loaded) void loadOlder();
      else loadNewest();
    },
    jumpToPresent: () => undefined,
    reach: (messageId) => reachBack(held, loadOlder, ({ messages }) => messages.some(({ id }) => id === messageId)),
    reachUnread: () => reachBack(held, loadOlder, (now) => reachesLine(now, reader.unreadFrom.peek())),
    send({ content, replyTo = null }) {
      reader.clearLine();
      void write(deps.randomUuid(), { kind: "text", text: content, replyTo });
    },
    // The same nonce from each of one's own browsers: the server keeps one.
    noteMissedCall: (callId) => void write(callId, { kind: "missedCall" }),
    retry(nonce) {
      const mine = justWritten.peek().find((one) => one.nonce === nonce);
      if (mine === undefined) deps.keys.ask("dm:retry", { nonce }).catch(() => undefined);
      else void write(nonce, contentOf(mine));
    },
    discard(nonce) {
      deps.unkept.discard(nonce);
      justWritten.value = justWritten.peek().filter((one) => one.nonce !== nonce);
      deps.keys.ask("dm:discard", { nonce }).catch(() => undefined);
    },
    edit: (messageId, text) =>
      change(overlays.show(messageId, { kind: "edited", content: text }), { kind: "edit", messageId, text }),
    remove: (messageId) => change(overlays.show(messageId, { kind: "deleted" }), { kind: "delete", messageId }),
    react: (messageId, emoji, on) =>
      change(wishes.add(messageId, emoji, on), { kind: "reaction", messageId, emoji, on }),
    setDraft: (text) => deps.drafts.set(channelId, text),
    noteTyping() {
      const nowMs = deps.clock.now();
      if (nowMs < noTypingBeforeMs || !deps.someoneThere()) return;
      noTypingBeforeMs = nowMs + TYPING_EVERY_MS;
      // Nobody needs to know that it was not told.
      deps.keys.ask("dm:typing", { channelId }).catch(() => undefined);
    },
    noteSeen() {
      const { lastSeq, readSeq } = unread.peek();
      if (!held.peek().loaded || lastSeq <= readSeq || !deps.page.attentive()) return;
      reader.seen(lastSeq);
    },
    clearUnreadLine: reader.clearLine,
    take,
    takePending(now) {
      batch(() => {
        fromDevice.value = now;
        dropRefused(now);
      });
    },
    takeNotices(now) {
      if (now.at(-1)?.id !== notices.peek().at(-1)?.id) notices.value = now;
    },
    receive: () => undefined,
    position: () => undefined,
    missing: () => undefined,
    applySync: () => undefined,
    reset() {
      forget();
      if (reader.isOpen()) loadNewest();
    },
    isOpen: reader.isOpen,
    reconnected() {
      if (reader.isOpen()) loadNewest();
    },
    shrink() {
      const { messages, loaded } = held.peek();
      if (reader.isOpen() || messages.length <= KEPT_CLOSED) return;
      held.value = { messages: messages.slice(-KEPT_CLOSED), loaded, hasOlder: true };
    },
  };
  return self;
}

/** The window with what changed. What stands before it is there when it is loaded. */
function placed(
  { messages, hasOlder }: Held,
  changed: readonly DmMessage[],
  gone: readonly MessageId[],
): readonly DmMessage[] {
  const first = messages[0]?.seq ?? 0;
  const bySeq = new Map(messages.map((message) => [message.seq, message]));
  for (const message of changed) if (!hasOlder || message.seq >= first) bySeq.set(message.seq, message);
  const dropped = new Set(gone);
  return [...bySeq.values()].filter(({ id }) => !dropped.has(id)).toSorted((a, b) => a.seq - b.seq);
}

/** What stands in the conversation by itself. */
type DmMessageContent = Exclude<DmContent, DmChange>;

function pendingOf(
  { failure, ...place }: Pick<DmPending, "nonce" | "channelId" | "createdAtMs" | "state" | "failure">,
  content: DmMessageContent,
): PendingMessage {
  const why = failure === null ? { failure: undefined } : whyOf(failure);
  const what =
    content.kind === "text"
      ? { content: content.text, replyTo: content.replyTo }
      : { content: "", replyTo: null, missedCall: true as const };
  const { nonce, channelId, createdAtMs, state } = place;
  return { nonce, channelId, createdAtMs, state, ...what, ...why };
}

function contentOf({ content, replyTo, missedCall }: PendingMessage): DmMessageContent {
  return missedCall === true ? { kind: "missedCall" } : { kind: "text", text: content, replyTo };
}

function whyOf(refusal: KeysRefusal): { readonly failure: ErrorCode; readonly refusal: KeysRefusal } {
  return { failure: serverCode(refusal), refusal };
}

function refusalOf(thrown: unknown): KeysRefusal {
  return thrown instanceof KeysError ? thrown.refusal : { code: "internal", message: String(thrown) };
}

/** The code of the contract that says most nearly the same, for views that know those. */
function serverCode({ code, server }: KeysRefusal): ErrorCode {
  switch (code) {
    case "refused":
      return server ?? "internal";
    case "offline":
      return "unavailable";
    case "too_long":
      return "too_large";
    case "not_found":
      return "not_found";
    case "not_yours":
      return "forbidden";
    case "not_ready":
      return "device_required";
    default:
      return "internal";
  }
}

function asServerError(thrown: unknown): ApiError {
  const refusal = refusalOf(thrown);
  return new ApiError({ code: serverCode(refusal), message: refusal.message }, { cause: thrown });
}
