import type { Message } from "@lescopains/protocol/entities";
import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import type { UpInput, UpOk } from "../net/socket.ts";
import { batch, computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { asApiError } from "../net/api-error.ts";
import type { ConnectionState, PendingMessage, SendInput } from "./live-types.ts";
import {
  inFlight,
  merged,
  nextAtMs,
  type Outbox as Items,
  type OutboxItem,
  queued,
  read,
  reconnected,
  refused,
  retried,
  sendable,
  without,
  written,
} from "./outbox-core.ts";
import { perId } from "./per-id.ts";
import type { Clock, KeyValueStore, Locks, RandomUuid } from "./ports.ts";

/** Messages on their way to the server; nothing in it is lost by a closed tab, a restart or a bad network. */
export interface Outbox {
  readonly pending: (channelId: ChannelId) => ReadonlySignal<readonly PendingMessage[]>;
  readonly send: (channelId: ChannelId, input: SendInput) => void;
  readonly retry: (nonce: string) => void;
  readonly discard: (nonce: string) => void;
  /** A message of one's own arrived as an event: it is no longer pending. */
  readonly confirmed: (nonce: string) => void;
  readonly close: () => void;
}

export interface OutboxDeps {
  readonly userId: UserId;
  readonly emit: (event: "message:send", body: UpInput<"message:send">) => Promise<UpOk<"message:send">>;
  readonly connection: ReadonlySignal<ConnectionState>;
  /** A message was acknowledged: it stands in its channel now. */
  readonly stored: (message: Message) => void;
  readonly clock: Clock;
  readonly locks: Locks;
  readonly storage: KeyValueStore;
  readonly randomUuid: RandomUuid;
  readonly random: () => number;
}

/**
 * Sends what waits, one message of a channel at a time.
 *
 * Each tab keeps its items under its own key and holds a lock of the same name while it lives. A key whose lock is free
 * belongs to a tab that ended, and its items are taken over, at once or when it ends: so one tab sends a given message.
 */
export function createOutbox(deps: OutboxDeps): Outbox {
  const prefix = `lescopains:outbox:${deps.userId}:`;
  const ownKey = prefix + deps.randomUuid();
  const releaseKey = deps.locks.hold(ownKey);
  const items = signal<Items>([]);
  let closed = false;
  let cancelTimer: (() => void) | undefined;

  function update(next: Items): void {
    // What a tab kept is another's once it has ended.
    if (closed || next === items.peek()) return;
    items.value = next;
    if (next.length === 0) deps.storage.remove(ownKey);
    else if (!deps.storage.set(ownKey, written(next))) console.warn("the outbox could not be kept: storage is full");
  }

  function pump(): void {
    cancelTimer?.();
    cancelTimer = undefined;
    if (closed || deps.connection.peek().kind !== "connected") return;
    for (const item of sendable(items.peek(), deps.clock.now())) void dispatch(item);
    const atMs = nextAtMs(items.peek());
    if (atMs !== undefined) cancelTimer = deps.clock.after(Math.max(0, atMs - deps.clock.now()), pump);
  }

  async function dispatch(item: OutboxItem): Promise<void> {
    update(inFlight(items.peek(), item.nonce));
    const { channelId, content, nonce, replyTo } = item;
    try {
      const answer = await deps.emit("message:send", {
        channelId,
        content,
        nonce,
        ...(replyTo === null ? {} : { replyTo }),
      });
      batch(() => {
        update(without(items.peek(), nonce));
        deps.stored(acknowledged(item, deps.userId, answer));
      });
    } catch (thrown) {
      update(refused(items.peek(), nonce, asApiError(thrown), deps.clock.now(), deps.random));
    }
    pump();
  }

  /** Keys of tabs that live, or are about to end: whoever waits for their locks takes over what they leave. */
  const watched = new Set<string>();

  function takeOver(key: string): void {
    if (closed) return;
    update(merged(items.peek(), read(deps.storage.get(key) ?? "[]")));
    deps.storage.remove(key);
  }

  async function watch(key: string): Promise<void> {
    if (watched.has(key)) return;
    watched.add(key);
    await deps.locks.exclusive(key, async () => takeOver(key));
    watched.delete(key);
    pump();
  }

  /** Takes over what tabs that ended had not sent, and what those that live will not have sent when they end. */
  async function adopt(): Promise<void> {
    const others = deps.storage.keys().filter((key) => key.startsWith(prefix) && key !== ownKey);
    for (const key of others) {
      const wasFree = await deps.locks.ifFree(key, async () => {
        takeOver(key);
        return true;
      });
      if (wasFree === undefined) void watch(key);
    }
    pump();
  }

  const stop = effect(() => {
    if (deps.connection.value.kind !== "connected") return;
    // Not within the effect: it would run again for every change of what it only reads once.
    queueMicrotask(() => {
      if (closed) return;
      update(reconnected(items.peek()));
      pump();
      void adopt();
    });
  });
  void adopt();

  return {
    pending: perId((channelId) => {
      const all = computed(() => items.value.filter((item) => item.channelId === channelId));
      let last: readonly PendingMessage[] = [];
      return computed(() => {
        const now = all.value;
        // The same list while nothing that shows has changed, so that sending redraws no one.
        if (now.length !== last.length || now.some((item, index) => !sameLook(item, last[index]))) last = now;
        return last;
      });
    }),
    send(channelId, input) {
      const nonce = deps.randomUuid();
      update(queued(items.peek(), { ...input, nonce, channelId, nowMs: deps.clock.now() }));
      pump();
    },
    retry(nonce) {
      update(retried(items.peek(), nonce));
      pump();
    },
    discard: (nonce) => update(without(items.peek(), nonce)),
    confirmed: (nonce) => update(without(items.peek(), nonce)),
    close() {
      closed = true;
      stop();
      cancelTimer?.();
      releaseKey();
    },
  };
}

function sameLook(one: PendingMessage, other: PendingMessage | undefined): boolean {
  return one.nonce === other?.nonce && one.state === other.state && one.failure === other.failure;
}

/** The message as the acknowledgement tells it; its event will bring the server's own words. */
function acknowledged(item: OutboxItem, authorId: UserId, answer: UpOk<"message:send">): Message {
  return {
    id: answer.id,
    channelId: item.channelId,
    seq: answer.seq,
    changedSeq: answer.seq,
    authorId,
    content: item.content,
    contentType: "text",
    encrypted: false,
    metadata: null,
    nonce: item.nonce,
    replyTo: item.replyTo,
    threadId: null,
    createdAt: answer.createdAt,
    editedAt: null,
    deleted: false,
    reactions: [],
  };
}
