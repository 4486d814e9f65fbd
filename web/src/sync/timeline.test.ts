import type { Message } from "@lescopains/protocol/entities";
import type { ChannelId, MessageId, Seq, UserId } from "@lescopains/protocol/ids";
import type { HistoryPage } from "@lescopains/protocol/rest";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  emptyTimeline,
  missingAfter,
  newerPage,
  newestPage,
  olderPage,
  pageAsked,
  received,
  type SyncAnswer,
  synced,
  type Timeline,
  type TimelineEvent,
  trimmedToNewest,
  trimmedToOldest,
} from "./timeline.ts";

const CHANNEL = "018f0000-0000-7000-8000-000000000001" as ChannelId;
const AUTHOR = "018f0000-0000-7000-8000-0000000000aa" as UserId;
const PEOPLE = ["a1", "a2", "a3"].map((end) => `018f0000-0000-7000-8000-0000000000${end}` as UserId);
const AT = "2026-11-22T10:00:00.000Z";

function idOf(seq: Seq): MessageId {
  return `018f0000-0000-7000-9000-${String(seq).padStart(12, "0")}` as MessageId;
}

/** The channel as the server keeps it. */
class ServerChannel {
  readonly messages: Message[] = [];
  readonly events: TimelineEvent[] = [];

  get lastSeq(): Seq {
    return this.events.length;
  }

  post(): void {
    const seq = this.lastSeq + 1;
    const message: Message = {
      id: idOf(seq),
      channelId: CHANNEL,
      seq,
      changedSeq: seq,
      authorId: AUTHOR,
      content: `message ${seq}`,
      contentType: "text",
      encrypted: false,
      metadata: null,
      nonce: `n${seq}`,
      replyTo: null,
      threadId: null,
      createdAt: AT,
      editedAt: null,
      deleted: false,
      reactions: [],
    };
    this.messages.push(message);
    this.events.push({ kind: "new", message });
  }

  edit(pick: number): void {
    const index = pick % Math.max(1, this.messages.length);
    const message = this.messages[index];
    if (message === undefined || message.deleted) return;
    const seq = this.lastSeq + 1;
    const content = `edit ${seq}`;
    this.messages[index] = { ...message, content, changedSeq: seq, editedAt: AT };
    this.events.push({
      kind: "edited",
      edit: { id: message.id, channelId: CHANNEL, seq, content, encrypted: false, metadata: null, editedAt: AT },
    });
  }

  remove(pick: number): void {
    const index = pick % Math.max(1, this.messages.length);
    const message = this.messages[index];
    if (message === undefined || message.deleted) return;
    const seq = this.lastSeq + 1;
    this.messages[index] = { ...message, content: "", metadata: null, deleted: true, reactions: [], changedSeq: seq };
    this.events.push({ kind: "deleted", deletion: { id: message.id, channelId: CHANNEL, seq } });
  }

  react(pick: number, who: number): void {
    const index = pick % Math.max(1, this.messages.length);
    const message = this.messages[index];
    if (message === undefined || message.deleted) return;
    const seq = this.lastSeq + 1;
    const [emoji, userId] = [pick % 2 === 0 ? "👍" : "🎉", PEOPLE[who] ?? AUTHOR];
    const before = message.reactions.find((one) => one.emoji === emoji)?.userIds ?? [];
    const on = !before.includes(userId);
    const userIds = on ? [...before, userId] : before.filter((id) => id !== userId);
    const reactions =
      before.length === 0
        ? [...message.reactions, { emoji, userIds }]
        : message.reactions.flatMap((one) =>
            one.emoji !== emoji ? [one] : userIds.length === 0 ? [] : [{ emoji, userIds }],
          );
    this.messages[index] = { ...message, reactions, changedSeq: seq };
    this.events.push({ kind: "reacted", on, reaction: { id: message.id, channelId: CHANNEL, seq, userId, emoji } });
  }

  page(range: { before?: Seq; after?: Seq }, limit: number): HistoryPage {
    const { before = Infinity, after = 0 } = range;
    const within = this.messages.filter(({ seq }) => seq < before && seq > after);
    const part = range.after === undefined ? within.slice(-limit) : within.slice(0, limit);
    return { messages: part.toReversed(), hasMore: within.length > part.length, lastSeq: this.lastSeq };
  }

  sync(after: Seq, limit: number): SyncAnswer {
    const changed = this.messages
      .filter(({ changedSeq }) => changedSeq > after)
      .toSorted((a, b) => a.changedSeq - b.changedSeq);
    return { messages: changed.slice(0, limit), lastSeq: this.lastSeq, more: changed.length > limit };
  }
}

/** What happens in a run: things at the server, on the network and at the reader. */
type Step =
  | {
      readonly kind:
        | "post"
        | "loseNext"
        | "deliver"
        | "deliverAll"
        | "deliverLate"
        | "repeat"
        | "askNewest"
        | "askOlder"
        | "askNewer"
        | "answer"
        | "sync"
        | "reconnect";
    }
  | { readonly kind: "edit" | "remove"; readonly pick: number }
  | { readonly kind: "react"; readonly pick: number; readonly who: number }
  | { readonly kind: "trim"; readonly keep: number; readonly side: "oldest" | "newest" };

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Step>({ kind: "post" }) },
  { weight: 3, arbitrary: fc.constant<Step>({ kind: "deliver" }) },
  { weight: 6, arbitrary: fc.constant<Step>({ kind: "deliverAll" }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom("edit", "remove"), pick: fc.nat(24) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("react" as const), pick: fc.nat(24), who: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.constant<Step>({ kind: "askOlder" }) },
  { weight: 4, arbitrary: fc.constant<Step>({ kind: "askNewer" }) },
  { weight: 5, arbitrary: fc.constant<Step>({ kind: "answer" }) },
  { weight: 3, arbitrary: fc.constant<Step>({ kind: "sync" }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Step>(
      { kind: "loseNext" },
      { kind: "deliverLate" },
      { kind: "repeat" },
      { kind: "askNewest" },
      { kind: "reconnect" },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("trim" as const),
      keep: fc.integer({ min: 1, max: 8 }),
      side: fc.constantFrom("oldest", "newest"),
    }),
  },
);

const PAGE = 4;
const SYNC_PAGE = 2;

/** A reader behind a bad network. */
class Reader {
  timeline: Timeline = emptyTimeline(CHANNEL);
  private readonly server: ServerChannel;
  private cursor = 0;
  private readonly late: TimelineEvent[] = [];
  private readonly answers: (() => void)[] = [];

  constructor(server: ServerChannel) {
    this.server = server;
    this.cursor = server.lastSeq;
  }

  take(event: TimelineEvent | undefined): void {
    if (event !== undefined) this.timeline = received(this.timeline, event);
  }

  act(step: Step): void {
    switch (step.kind) {
      case "post":
        this.server.post();
        break;
      case "edit":
        this.server.edit(step.pick);
        break;
      case "remove":
        this.server.remove(step.pick);
        break;
      case "react":
        this.server.react(step.pick, step.who);
        break;
      case "deliver":
        this.take(this.server.events[this.cursor]);
        this.cursor = Math.min(this.cursor + 1, this.server.lastSeq);
        break;
      case "deliverAll":
        while (this.cursor < this.server.lastSeq) this.act({ kind: "deliver" });
        break;
      case "loseNext":
        this.cursor = Math.min(this.cursor + 1, this.server.lastSeq);
        break;
      case "deliverLate": {
        const event = this.server.events[this.cursor];
        if (event !== undefined) {
          this.late.push(event);
          this.cursor += 1;
        }
        if (this.late.length > 1) this.take(this.late.pop());
        break;
      }
      case "repeat":
        this.take(this.server.events[Math.max(0, this.cursor - 2)]);
        break;
      case "askNewest":
        this.askNewest();
        break;
      case "askOlder":
        this.askOlder();
        break;
      case "askNewer":
        this.askNewer();
        break;
      case "answer":
        this.answers.shift()?.();
        break;
      case "sync":
        this.sync(false);
        break;
      case "reconnect":
        this.cursor = this.server.lastSeq;
        this.sync(true);
        break;
      case "trim":
        this.timeline =
          step.side === "oldest"
            ? trimmedToOldest(this.timeline, step.keep)
            : trimmedToNewest(this.timeline, step.keep);
        break;
    }
  }

  /** The server reads the page now; the reader gets it at some later step. */
  private askNewest(): void {
    if (this.timeline.loaded) return;
    const page = this.server.page({}, PAGE);
    this.answers.push(() => {
      this.timeline = newestPage(this.timeline, page);
    });
  }

  private askOlder(): void {
    const before = this.timeline.messages[0]?.seq;
    if (before === undefined || !this.timeline.hasOlder) return;
    this.timeline = pageAsked(this.timeline);
    const page = this.server.page({ before }, PAGE);
    this.answers.push(() => {
      this.timeline = olderPage(this.timeline, page, before);
    });
  }

  private askNewer(): void {
    const after = this.timeline.messages.at(-1)?.seq;
    if (after === undefined || !this.timeline.hasNewer) return;
    this.timeline = pageAsked(this.timeline);
    const page = this.server.page({ after }, PAGE);
    this.answers.push(() => {
      this.timeline = newerPage(this.timeline, page, after);
    });
  }

  private sync(atOnce: boolean): void {
    if (!this.timeline.loaded) return;
    const after = this.timeline.seen;
    const answer = this.server.sync(after, SYNC_PAGE);
    const arrive = (): void => {
      this.timeline = synced(this.timeline, answer, after);
    };
    if (atOnce) arrive();
    else this.answers.push(arrive);
  }

  /** The network is good again: everything on its way arrives, and the reader asks until nothing is missing. */
  settle(): void {
    while (this.answers.length > 0) this.answers.shift()?.();
    if (!this.timeline.loaded) {
      this.askNewest();
      this.answers.shift()?.();
    }
    for (
      let after = missingAfter(this.timeline, this.server.lastSeq);
      after !== undefined;
      after = missingAfter(this.timeline, this.server.lastSeq)
    ) {
      this.timeline = synced(this.timeline, this.server.sync(after, SYNC_PAGE), after);
    }
  }

  readToTheEnds(): void {
    while (this.timeline.hasOlder && this.timeline.messages.length > 0) {
      this.askOlder();
      this.answers.shift()?.();
    }
    while (this.timeline.hasNewer && this.timeline.messages.length > 0) {
      this.askNewer();
      this.answers.shift()?.();
    }
  }
}

describe("timeline", () => {
  test("[TL1] after any loss, reordering, repetition and reconnect, the window is the server's", () => {
    fc.assert(
      fc.property(fc.nat(24), fc.boolean(), fc.array(steps, { maxLength: 60 }), (before, opened, run) => {
        const server = new ServerChannel();
        for (let count = 0; count < before; count += 1) server.post();
        const reader = new Reader(server);
        if (opened) for (const kind of ["askNewest", "answer"] as const) reader.act({ kind });
        for (const one of run) {
          reader.act(one);
          const seqs = reader.timeline.messages.map(({ seq }) => seq);
          expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
        }
        reader.settle();
        const { messages, hasNewer, hasOlder } = reader.timeline;
        const [first, last] = [messages[0]?.seq ?? 0, messages.at(-1)?.seq ?? 0];
        expect(messages).toEqual(
          server.messages.filter(({ seq }) => (!hasOlder || seq >= first) && (!hasNewer || seq <= last)),
        );
        reader.readToTheEnds();
        expect(reader.timeline.messages).toEqual(server.messages);
        expect(reader.timeline.seen).toBe(server.lastSeq);
        expect(reader.timeline.ahead.size).toBe(0);
        expect(reader.timeline.strays.size).toBe(0);
      }),
      { numRuns: 6_000, seed: 20261122 },
    );
  });

  /** An event that the test has made. */
  function eventAt(server: ServerChannel, index: number): TimelineEvent {
    const event = server.events[index];
    if (event === undefined) throw new Error(`there is no event ${index}`);
    return event;
  }

  function loaded(count: number): { server: ServerChannel; timeline: Timeline } {
    const server = new ServerChannel();
    for (let index = 0; index < count; index += 1) server.post();
    return { server, timeline: newestPage(emptyTimeline(CHANNEL), server.page({}, 50)) };
  }

  test("[TL2] an event beyond a hole waits and is not shown; the hole's end is told", () => {
    const { server, timeline } = loaded(3);
    server.post();
    server.post();
    const after = received(timeline, eventAt(server, 4));
    expect(after.messages).toHaveLength(3);
    expect(missingAfter(after, 5)).toBe(3);
    const filled = received(after, eventAt(server, 3));
    expect(filled.messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(missingAfter(filled, 5)).toBeUndefined();
  });

  test("[TL3] a deleted message stays as an empty tombstone", () => {
    const { server, timeline } = loaded(2);
    server.remove(0);
    const after = received(timeline, eventAt(server, 2));
    expect(after.messages[0]).toMatchObject({ deleted: true, content: "" });
  });

  test("[TL3] a deleted message takes its reactions with it", () => {
    const { server, timeline } = loaded(1);
    server.react(0, 0);
    const reacted = received(timeline, eventAt(server, 1));
    expect(reacted.messages[0]?.reactions).toEqual([{ emoji: "👍", userIds: [PEOPLE[0]] }]);
    server.remove(0);
    expect(received(reacted, eventAt(server, 2)).messages[0]?.reactions).toEqual([]);
  });

  test("[TL4] events received before the first page are applied after it", () => {
    const server = new ServerChannel();
    server.post();
    const page = server.page({}, 50);
    server.post();
    const waiting = received(emptyTimeline(CHANNEL), eventAt(server, 1));
    expect(newestPage(waiting, page).messages).toEqual(server.messages);
  });

  test("[TL5] the event of one's own message replaces what its acknowledgement told", () => {
    const { server, timeline } = loaded(0);
    server.post();
    const event = eventAt(server, 0);
    if (event.kind !== "new") throw new Error("a post makes a new message");
    const told = received(timeline, { kind: "new", message: { ...event.message, content: "as typed" } });
    expect(received(told, event).messages).toEqual([event.message]);
  });

  test("[TL6] a reader in the past is not moved by new messages, and edits still reach what is held", () => {
    const { server, timeline } = loaded(10);
    const past = trimmedToOldest(timeline, 4);
    server.post();
    server.edit(2);
    const after = server.events.slice(10).reduce(received, past);
    expect(after.messages).toEqual(server.messages.slice(0, 4));
    expect(after.seen).toBe(12);
  });
});
