import type { CallId, ChannelId, MessageId, Seq, UserId } from "@lescopains/protocol/ids";
import { expect, test } from "vitest";
import type { DmMessage, DmPending } from "../keys/port.ts";
import { KeysError } from "../keys/port.ts";
import { createDmConversation } from "./dm-conversation.ts";
import { createSealedDrafts } from "./drafts.ts";
import { FakeClock, FakePage, FakePort, FakeStorage, settle } from "./fakes.ts";
import { createPad } from "./pad.ts";
import { createTypingBook } from "./typing.ts";
import { createUnkept } from "./unkept.ts";
import { createUnreadBook } from "./unread.ts";

const CHANNEL = "018f0000-0000-7000-8000-000000000002" as ChannelId;
const ANA = "018f0000-0000-7000-8000-0000000000aa" as UserId;
const LEO = "018f0000-0000-7000-8000-0000000000bb" as UserId;

function message(seq: Seq, content: string, more: Partial<DmMessage> = {}): DmMessage {
  return {
    id: `018f0000-0000-7000-8000-1000000000${String(seq).padStart(2, "0")}` as MessageId,
    channelId: CHANNEL,
    seq,
    changedSeq: seq,
    authorId: LEO,
    content,
    contentType: "text",
    encrypted: false,
    metadata: null,
    nonce: `nonce-${seq}`,
    replyTo: null,
    threadId: null,
    createdAt: "2026-11-25T10:00:00.000Z",
    editedAt: null,
    deleted: false,
    unreadable: null,
    reactions: [],
    ...more,
  };
}

function setUp(history: readonly DmMessage[] = []) {
  const [clock, page, keys] = [new FakeClock(), new FakePage(), new FakePort()];
  keys.answer = (name) => (name === "dm:history" ? { messages: history, notices: [], hasMore: false } : {});
  const unread = createUnreadBook(ANA);
  const pad = createPad({ selfId: ANA, keys, storage: new FakeStorage() });
  let ids = 0;
  let there = true;
  const conversation = createDmConversation(CHANNEL, {
    selfId: ANA,
    keys,
    drafts: createSealedDrafts(pad, clock),
    unkept: createUnkept(keys, pad, clock),
    typing: createTypingBook(clock),
    unread,
    clock,
    page,
    randomUuid: () => `uuid-${(ids += 1)}`,
    someoneThere: () => there,
    used: () => undefined,
  });
  const shown = (): string[] => [
    ...conversation.timeline.value.messages.map(({ content }) => content),
    ...conversation.pending.value.map(({ content, state }) => `${content} (${state})`),
  ];
  return { clock, page, keys, unread, conversation, shown, leave: (): void => void (there = false) };
}

function waiting(nonce: string, text: string, failed = false): DmPending {
  return {
    nonce,
    channelId: CHANNEL,
    content: { kind: "text", text, replyTo: null },
    createdAtMs: 0,
    state: failed ? "failed" : "waiting",
    failure: failed ? { code: "identity_changed", message: "" } : null,
  };
}

test("[DC1] a message stands at once, and once, until the device has it stored", async () => {
  const { conversation, keys, shown } = setUp();
  conversation.open();
  await settle();
  let kept: () => void = () => undefined;
  keys.answer = () => new Promise<object>((resolve) => (kept = () => resolve({})));
  conversation.send({ content: "hello" });
  expect(shown()).toEqual(["hello (waiting)"]);
  conversation.takePending([waiting("uuid-1", "hello")]);
  expect(shown()).toEqual(["hello (waiting)"]);
  kept();
  await settle();
  expect(shown()).toEqual(["hello (waiting)"]);
  conversation.take([message(1, "hello", { authorId: ANA, nonce: "uuid-1" })], []);
  expect(shown()).toEqual(["hello"]);
  // What waited before it was stored is told after it.
  conversation.takePending([waiting("uuid-1", "hello")]);
  expect(shown()).toEqual(["hello"]);
});

test("[DC2] what the device refuses stays, with its reason, and can be tried again or given up", async () => {
  const { conversation, keys, shown } = setUp();
  keys.answer = () => {
    throw new KeysError({ code: "too_long", message: "" });
  };
  conversation.send({ content: "long" });
  await settle();
  expect(shown()).toEqual(["long (failed)"]);
  expect(conversation.pending.value[0]?.refusal?.code).toBe("too_long");
  keys.answer = () => ({});
  conversation.retry("uuid-1");
  await settle();
  expect(keys.questions("dm:send").map((question) => (question as { nonce: string }).nonce)).toEqual([
    "uuid-1",
    "uuid-1",
  ]);
  conversation.takePending([waiting("uuid-2", "long", true)]);
  expect(conversation.pending.value[0]?.refusal?.code).toBe("identity_changed");
  conversation.retry("uuid-2");
  conversation.discard("uuid-2");
  expect(keys.questions("dm:retry")).toEqual([{ nonce: "uuid-2" }]);
  expect(keys.questions("dm:discard")).toEqual([{ nonce: "uuid-2" }]);
});

test("[DC13] a call that nobody answered stands at once, is sent under the call's own id, and is tried again as what it is", async () => {
  const { conversation, keys } = setUp();
  keys.answer = (name) => {
    if (name === "dm:send") throw new KeysError({ code: "offline", message: "no" });
    return {};
  };
  const callId = "018f0000-0000-7000-8000-0000000000cc" as CallId;
  conversation.noteMissedCall?.(callId);
  await settle();
  expect(conversation.pending.value).toMatchObject([{ nonce: callId, content: "", missedCall: true, state: "failed" }]);
  keys.answer = () => ({});
  conversation.retry(callId);
  await settle();
  const sent = { channelId: CHANNEL, nonce: callId, content: { kind: "missedCall" } };
  expect(keys.questions("dm:send")).toEqual([sent, sent]);
  conversation.takePending([{ ...waiting(callId, ""), content: { kind: "missedCall" } }]);
  expect(conversation.pending.value).toMatchObject([{ nonce: callId, missedCall: true, state: "waiting" }]);
});

test("[DC3] what comes while a page is on its way is applied after it", async () => {
  const { conversation, keys, shown } = setUp();
  let give: (page: unknown) => void = () => undefined;
  keys.answer = () => new Promise((resolve) => (give = resolve));
  conversation.open();
  await settle();
  conversation.take([message(2, "new"), message(1, "healed")], []);
  give({ messages: [message(1, "", { encrypted: true })], notices: [], hasMore: false });
  await settle();
  expect(shown()).toEqual(["healed", "new"]);
  conversation.take([], [message(2, "").id]);
  expect(shown()).toEqual(["healed"]);
});

test("[DC14] a page that was asked for before the window was cut leaves no hole in it", async () => {
  const all = Array.from({ length: 300 }, (_, index) => message(index + 1, `${index + 1}`));
  const { conversation, keys, shown } = setUp();
  const pageBefore = (before = 301) => ({
    messages: all.slice(0, before - 1).slice(-250),
    notices: [],
    hasMore: before > 251,
  });
  keys.answer = (_, question: { readonly before?: Seq }) => pageBefore(question.before);
  const leave = conversation.open();
  await settle();
  let give: () => void = () => undefined;
  keys.answer = (_, { before }: { readonly before?: Seq }) =>
    new Promise((resolve) => (give = () => resolve(pageBefore(before))));
  conversation.loadOlder();
  await settle();
  leave();
  conversation.shrink();
  give();
  await settle();
  expect(shown()).toEqual(all.slice(100).map(({ content }) => content));
  conversation.loadOlder();
  await settle();
  give();
  await settle();
  expect(shown()).toEqual(all.map(({ content }) => content));
});

test("[DC4] an edit shows at once, and goes back when it is refused", async () => {
  const { conversation, keys } = setUp([message(1, "helo", { authorId: ANA })]);
  conversation.open();
  await settle();
  const { id } = message(1, "");
  await conversation.edit(id, "hello");
  expect(conversation.overlays.value.get(id)).toEqual({ kind: "edited", content: "hello" });
  conversation.take([message(1, "hello", { authorId: ANA })], []);
  expect(conversation.overlays.value.size).toBe(0);
  const edit = { kind: "edit", messageId: id, text: "later refused" } as const;
  await conversation.edit(id, edit.text);
  conversation.takePending([{ ...waiting("uuid-2", "", true), content: edit }]);
  expect(conversation.overlays.value.size).toBe(0);
  expect(keys.questions("dm:discard")).toEqual([{ nonce: "uuid-2" }]);
  keys.answer = () => {
    throw new KeysError({ code: "not_yours", message: "" });
  };
  await expect(conversation.edit(id, "no")).rejects.toMatchObject({ code: "forbidden" });
  expect(conversation.overlays.value.size).toBe(0);
});

test("[DC9] a reaction shows until the device tells it, and goes back when it is refused", async () => {
  const { conversation, keys } = setUp([message(1, "hello")]);
  conversation.open();
  await settle();
  const { id } = message(1, "");
  await conversation.react(id, "👍", true);
  const reaction = { kind: "reaction", messageId: id, emoji: "👍", on: true } as const;
  expect(keys.questions("dm:send")).toMatchObject([{ channelId: CHANNEL, content: reaction }]);
  expect(conversation.wishes.value).toEqual([{ messageId: id, emoji: "👍", on: true }]);
  // Somebody else's comes first: one's own still shows.
  conversation.take([message(1, "hello", { reactions: [{ emoji: "👍", userIds: [LEO] }] })], []);
  expect(conversation.wishes.value).toHaveLength(1);
  conversation.take([message(1, "hello", { reactions: [{ emoji: "👍", userIds: [LEO, ANA] }] })], []);
  expect(conversation.wishes.value).toEqual([]);

  await conversation.react(id, "🎉", true);
  const refused = { ...waiting("uuid-2", "", true), content: { ...reaction, emoji: "🎉" } };
  conversation.takePending([refused]);
  expect(conversation.wishes.value).toEqual([]);
  expect(keys.questions("dm:discard")).toEqual([{ nonce: "uuid-2" }]);
  await conversation.react(id, "🎉", true);
  conversation.take([message(1, "", { deleted: true })], []);
  expect(conversation.wishes.value).toEqual([]);
  keys.answer = () => {
    throw new KeysError({ code: "not_found", message: "" });
  };
  await expect(conversation.react(id, "🎉", true)).rejects.toMatchObject({ code: "not_found" });
  expect(conversation.wishes.value).toEqual([]);
});

test("[DC5] what is seen is told to the device once, when someone looks at it", async () => {
  const { clock, conversation, keys, page, unread } = setUp([message(1, "one"), message(2, "two")]);
  unread.tell(CHANNEL, { lastSeq: 3, readSeq: 1, count: 1 });
  conversation.open();
  await settle();
  expect(conversation.unreadFrom.value).toBe(1);
  page.change({ attentive: false });
  conversation.noteSeen();
  await clock.advance(1_000);
  expect(keys.questions("dm:read")).toEqual([]);
  page.change({ attentive: true });
  conversation.noteSeen();
  conversation.noteSeen();
  await clock.advance(1_000);
  expect(keys.questions("dm:read")).toEqual([{ channelId: CHANNEL, seq: 3 }]);
});

test("[DC6] typing is told at most every 5 s, and only while somebody is there", async () => {
  const { clock, conversation, keys, leave } = setUp();
  for (let second = 0; second < 6; second += 1) {
    conversation.noteTyping();
    await clock.advance(1_000);
  }
  expect(keys.questions("dm:typing")).toHaveLength(2);
  leave();
  await clock.advance(10_000);
  conversation.noteTyping();
  expect(keys.questions("dm:typing")).toHaveLength(2);
});
