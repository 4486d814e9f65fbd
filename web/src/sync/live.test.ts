import type { SignedIn } from "@lescopains/protocol/rest";
import { signal } from "@preact/signals";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ApiError } from "../net/api-error.ts";
import { ANA, CHANNEL, FakeServer, LEO, self, SERVER } from "./fake-server.ts";
import { fakeBeats, FakeClock, FakeLocks, FakePage, FakeStorage, FakeWire, settle } from "./fakes.ts";
import { createLive } from "./live.ts";
import { createOutbox } from "./outbox.ts";
import { reactionsShown } from "./reacting.ts";

/** What outlives a tab. */
class Machine {
  readonly clock = new FakeClock();
  readonly locks = new FakeLocks();
  readonly storage = new FakeStorage();
  ids = 0;
}

function openTab(machine = new Machine(), wire = new FakeWire(), server = new FakeServer(wire)) {
  const page = new FakePage();
  const live = createLive({
    self,
    api: server.api,
    access: {
      token: async () => "token",
      renew: async () => "token",
      restore: async (): Promise<SignedIn> => await Promise.reject(new Error("not asked")),
      accept: () => undefined,
      end: () => undefined,
    },
    clock: machine.clock,
    locks: machine.locks,
    storage: machine.storage,
    page,
    randomUuid: () => `uuid-${(machine.ids += 1)}`,
    random: () => 0.5,
    openWire: wire.open,
    beats: fakeBeats(machine.clock),
    openKeysWorker: () => ({ post: () => undefined, terminate: () => undefined }),
    deviceName: "a browser",
  });
  const conversation = live.conversation(CHANNEL);
  const shown = (): string[] => [
    ...conversation.timeline.value.messages.map(({ content }) => content),
    ...conversation.pending.value.map(({ content, state }) => `${content} (${state})`),
  ];
  return { machine, wire, server, page, live, conversation, shown };
}

async function openedTab(posted = 0) {
  const tab = openTab();
  for (let count = 1; count <= posted; count += 1) tab.server.post(`m${count}`, false);
  await settle();
  tab.server.ready();
  const leave = tab.conversation.open();
  await settle();
  return { ...tab, leave };
}

describe("sending", () => {
  test("[OB1] a message stands at once, and once, whether its event or its acknowledgement comes first", async () => {
    for (const eventFirst of [true, false]) {
      const { conversation, shown, server, wire } = await openedTab(1);
      wire.answer = async (event, body) => {
        if (event !== "message:send") return { ok: true };
        await Promise.resolve();
        const answer = server.store(body as { content: string; nonce: string }, eventFirst);
        if (!eventFirst) queueMicrotask(() => queueMicrotask(() => wire.push("message:new", server.messages.at(-1))));
        return answer;
      };
      conversation.send({ content: "hello" });
      expect(shown()).toEqual(["m1", "hello (waiting)"]);
      await settle();
      expect(shown()).toEqual(["m1", "hello"]);
    }
  });

  test("[OB2] what the network swallowed is sent again with the same nonce, in the order of writing", async () => {
    const { conversation, shown, server, wire, machine } = await openedTab();
    wire.answer = () => new Promise(() => undefined);
    conversation.send({ content: "one" });
    conversation.send({ content: "two" });
    await settle();
    // The server has the first, but its acknowledgement is lost with the line.
    server.store(wire.bodies("message:send")[0] as { content: string; nonce: string }, false);
    wire.cut();
    expect(shown()).toEqual(["one (waiting)", "two (waiting)"]);
    const revived = new FakeServer(wire);
    Object.assign(revived, { messages: server.messages, lastSeq: server.lastSeq });
    await machine.clock.advance(1_000);
    revived.ready();
    await machine.clock.advance(1_000);
    expect(revived.messages.map(({ content }) => content)).toEqual(["one", "two"]);
    expect(shown()).toEqual(["one", "two"]);
  });

  test("[OB3] `rate_limited` waits as long as told, and what follows waits behind", async () => {
    const { conversation, shown, server, machine } = await openedTab();
    server.refusal = new ApiError({ code: "rate_limited", message: "slow", retryAfterMs: 3_000 });
    conversation.send({ content: "one" });
    conversation.send({ content: "two" });
    await machine.clock.advance(2_900);
    expect(server.messages).toHaveLength(0);
    await machine.clock.advance(200);
    expect(shown()).toEqual(["one", "two"]);
  });

  test("[OB4] a message refused for good stays, failed, and holds nothing up; it can be tried again or given up", async () => {
    const { conversation, shown, server } = await openedTab();
    server.refusal = new ApiError({ code: "forbidden", message: "no" });
    conversation.send({ content: "one" });
    conversation.send({ content: "two" });
    await settle();
    expect(shown()).toEqual(["two", "one (failed)"]);
    expect(conversation.pending.value[0]?.failure).toBe("forbidden");
    conversation.retry(conversation.pending.value[0]?.nonce ?? "");
    await settle();
    expect(shown()).toEqual(["two", "one"]);
    server.refusal = new ApiError({ code: "forbidden", message: "no" });
    conversation.send({ content: "three" });
    await settle();
    conversation.discard(conversation.pending.value[0]?.nonce ?? "");
    expect(shown()).toEqual(["two", "one"]);
  });

  test("[OB5] what a closed tab had not sent is sent by the next one, and by one only", async () => {
    const machine = new Machine();
    const first = openTab(machine);
    first.conversation.send({ content: "before the crash" });
    first.conversation.setDraft("half a thou");
    first.live.close();
    const [wire] = [new FakeWire()];
    const server = new FakeServer(wire);
    const tabs = [openTab(machine, wire, server), openTab(machine, new FakeWire())];
    await settle();
    expect(tabs.map(({ conversation }) => conversation.pending.value.length).toSorted((a, b) => a - b)).toEqual([0, 1]);
    for (const tab of tabs) tab.server.ready();
    await settle();
    expect(tabs.flatMap((tab) => tab.server.messages.map(({ content }) => content))).toEqual(["before the crash"]);
    expect([...machine.storage.entries.keys()].filter((key) => key.includes("outbox"))).toEqual([]);
    expect(tabs[0]?.conversation.draft.value).toBe("half a thou");
  });

  test("[OB5] what a tab had not sent is sent by another that is there when it ends", async () => {
    const machine = new Machine();
    const first = openTab(machine);
    first.conversation.send({ content: "just before the end" });
    const second = openTab(machine);
    second.server.ready();
    await settle();
    expect(second.server.messages).toEqual([]);
    first.live.close();
    await settle();
    expect(second.server.messages.map(({ content }) => content)).toEqual(["just before the end"]);
  });

  test("[OB5] what a tab that has ended still hears of its messages brings none of them back", async () => {
    const machine = new Machine();
    const answer = Promise.withResolvers<never>();
    const { clock, locks, storage } = machine;
    const outbox = createOutbox({
      clock,
      locks,
      storage,
      userId: ANA,
      randomUuid: () => "the first tab's",
      random: () => 0.5,
      connection: signal({ kind: "connected" }),
      emit: () => answer.promise,
      stored: () => undefined,
    });
    outbox.send(CHANNEL, { content: "once" });
    outbox.close();
    const second = openTab(machine);
    second.server.ready();
    await settle();
    expect(second.server.messages.map(({ content }) => content)).toEqual(["once"]);
    answer.reject(new Error("the line was cut"));
    await settle();
    expect(storage.keys().filter((key) => key.includes("outbox"))).toEqual([]);
  });

  test("[OB6] a tab that lives keeps its own messages to itself", async () => {
    const machine = new Machine();
    const first = openTab(machine);
    first.conversation.send({ content: "mine" });
    const second = openTab(machine);
    await settle();
    expect(second.conversation.pending.value).toEqual([]);
    expect(first.conversation.pending.value).toHaveLength(1);
  });

  test("[OB7] whatever the network does, each message is stored once and in order, and both sides show the same", async () => {
    const act = fc.constantFrom("send", "send", "post", "hidden", "swallow", "cut", "wait", "return");
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
        const { conversation, shown, server, wire, machine } = await openedTab(3);
        server.syncLimit = 2;
        const honest = wire.answer;
        const written: string[] = [];
        for (const one of acts) {
          if (one === "send") {
            written.push(`own ${written.length}`);
            conversation.send({ content: written.at(-1) ?? "" });
          } else if (one === "post" || one === "hidden") server.post(`leo ${server.lastSeq}`, one === "post");
          else if (one === "swallow") {
            // It is stored; its answer never comes.
            wire.answer = (event, body) => {
              honest(event, body);
              return new Promise(() => undefined);
            };
          } else if (one === "cut") wire.cut();
          else if (one === "wait") await machine.clock.advance(700);
          else if (one === "return") {
            wire.answer = honest;
            if (wire.isOpen) server.ready();
          }
          await settle();
        }
        wire.answer = honest;
        wire.cut();
        for (let round = 0; round < 3; round += 1) {
          await machine.clock.advance(20_000);
          server.ready();
        }
        await machine.clock.advance(60_000);
        const stored = server.messages.filter(({ authorId }) => authorId === ANA).map(({ content }) => content);
        expect(stored).toEqual(written);
        expect(shown()).toEqual(server.messages.map(({ content }) => content));
      }),
      { numRuns: 150, seed: 20261122 },
    );
  });
});

describe("conversation", () => {
  test("[CO1] after a reconnect one `sync` brings what was missed", async () => {
    const { shown, server, wire, machine } = await openedTab(2);
    wire.cut();
    server.post("missed", false);
    await machine.clock.advance(1_000);
    server.syncs = 0;
    server.ready();
    await settle();
    expect(shown()).toEqual(["m1", "m2", "missed"]);
    expect(server.syncs).toBe(1);
  });

  test("[CO2] a hole between events is asked for after a moment, and not if it closes by itself", async () => {
    const { shown, server, wire, machine } = await openedTab(1);
    server.syncs = 0;
    const late = server.post("late", false);
    server.post("early");
    expect(shown()).toEqual(["m1"]);
    wire.push("message:new", late);
    expect(shown()).toEqual(["m1", "late", "early"]);
    await machine.clock.advance(1_000);
    expect(server.syncs).toBe(0);
    server.post("lost", false);
    server.post("seen");
    await machine.clock.advance(200);
    expect(shown()).toEqual(["m1", "late", "early", "lost", "seen"]);
    expect(server.syncs).toBe(1);
  });

  test("[CO13] after a restore what the server does not know any more goes, what waits is sent, and it is said until it is read", async () => {
    const { shown, server, wire, machine, live, conversation } = await openedTab(2);
    for (const words of ["lost", "lost too"]) server.post(words);
    await settle();
    expect(live.restored.value).toBe(false);
    wire.cut();
    conversation.send({ content: "waits" });
    server.restore(2);
    await machine.clock.advance(1_000);
    server.ready();
    await settle();
    expect(shown()).toEqual(["m1", "m2", "waits"]);
    expect(live.restored.value).toBe(true);
    server.post("new");
    await settle();
    expect(shown()).toEqual(["m1", "m2", "waits", "new"]);
    expect(live.unread(CHANNEL).value.count).toBe(1);

    // A page that is loaded later has nothing to forget, and says it all the same; a browser that was never here does not.
    const later = openTab(machine);
    later.server.generation = server.generation;
    later.server.ready();
    expect(later.live.restored.value).toBe(true);
    later.live.noteRestoredRead();
    later.server.ready();
    expect(later.live.restored.value).toBe(false);
    const elsewhere = openTab();
    elsewhere.server.generation = server.generation;
    elsewhere.server.ready();
    expect(elsewhere.live.restored.value).toBe(false);
  });

  test("[CO3] too far behind, the messages are loaded anew instead", async () => {
    const { shown, server, wire, machine } = await openedTab(1);
    server.syncLimit = 5;
    wire.cut();
    for (let count = 0; count < 200; count += 1) server.post(`away ${count}`, false);
    await machine.clock.advance(1_000);
    server.pages = 0;
    server.ready();
    await machine.clock.advance(5_000);
    expect(server.pages).toBe(1);
    expect(shown().at(-1)).toBe("away 199");
    expect(shown()).toHaveLength(50);
  });

  test("[CO4] older pages come one at a time, down to the first message", async () => {
    const { conversation, shown } = await openedTab(120);
    expect(shown()[0]).toBe("m71");
    conversation.loadOlder();
    conversation.loadOlder();
    await settle();
    expect(shown()[0]).toBe("m21");
    conversation.loadOlder();
    await settle();
    expect(shown()).toHaveLength(120);
    expect(conversation.timeline.value.hasOlder).toBe(false);
  });

  test("[CO5] an edit shows at once, and goes back when it is refused", async () => {
    const { conversation, server, wire } = await openedTab(1);
    const id = server.messages[0]?.id;
    if (id === undefined) throw new Error("posted above");
    const saved = conversation.edit(id, "better");
    expect(conversation.overlays.value.get(id)).toEqual({ kind: "edited", content: "better" });
    await saved;
    expect(conversation.overlays.value.size).toBe(0);
    expect(conversation.timeline.value.messages[0]).toMatchObject({ content: "better", changedSeq: 2 });
    wire.answer = () => ({ ok: false, error: { code: "forbidden", message: "no" } });
    await expect(conversation.edit(id, "worse")).rejects.toMatchObject({ code: "forbidden" });
    expect(conversation.overlays.value.size).toBe(0);
    expect(conversation.timeline.value.messages[0]?.content).toBe("better");
  });

  test("[SO11] an edit and a reaction that meet the end of a connection are made on the next one", async () => {
    const { conversation, server, wire, machine } = await openedTab(1);
    const id = server.messages[0]?.id;
    if (id === undefined) throw new Error("posted above");
    wire.cut();
    const saved = Promise.all([conversation.edit(id, "better"), conversation.react(id, "👍", true)]);
    expect(conversation.overlays.value.get(id)).toEqual({ kind: "edited", content: "better" });
    await machine.clock.advance(1_000);
    server.ready();
    await saved;
    const reactions = [{ emoji: "👍", userIds: [ANA] }];
    expect(conversation.timeline.value.messages[0]).toMatchObject({ content: "better", reactions });
  });

  test("[CO5] what somebody else has deleted already is deleted", async () => {
    const { conversation, server, wire } = await openedTab(1);
    const id = server.messages[0]?.id;
    if (id === undefined) throw new Error("posted above");
    wire.answer = () => ({ ok: false, error: { code: "not_found", message: "no such message" } });
    await conversation.remove(id);
    expect(conversation.overlays.value.size).toBe(0);
  });

  test("[CO12] a reaction shows at once and is confirmed once; refused, it goes back", async () => {
    const { conversation, server, wire } = await openedTab(1);
    const id = server.messages[0]?.id;
    if (id === undefined) throw new Error("posted above");
    const shown = () =>
      reactionsShown(conversation.timeline.value.messages[0] ?? { id, reactions: [] }, conversation.wishes.value, ANA);
    const mine = [{ emoji: "👍", userIds: [ANA] }];
    const adding = conversation.react(id, "👍", true);
    expect(shown()).toEqual(mine);
    await adding;
    expect(conversation.wishes.value).toEqual([]);
    expect(conversation.timeline.value.messages[0]).toMatchObject({ changedSeq: 2, reactions: mine });
    // Its event, and somebody else's, whichever comes first.
    wire.push("reaction:added", { id, channelId: CHANNEL, seq: 2, userId: ANA, emoji: "👍" });
    wire.push("reaction:added", { id, channelId: CHANNEL, seq: 3, userId: LEO, emoji: "👍" });
    server.lastSeq = 3;
    expect(shown()).toEqual([{ emoji: "👍", userIds: [ANA, LEO] }]);
    expect(conversation.unread.value.count).toBe(1);
    // Pressed on and off faster than the server answers: the last wish stands.
    await Promise.all([conversation.react(id, "👍", false), conversation.react(id, "👍", true)]);
    expect(shown()).toEqual([{ emoji: "👍", userIds: [LEO, ANA] }]);
    wire.answer = () => ({ ok: false, error: { code: "limit_reached", message: "full" } });
    await expect(conversation.react(id, "🎉", true)).rejects.toMatchObject({ code: "limit_reached" });
    expect(shown()).toEqual([{ emoji: "👍", userIds: [LEO, ANA] }]);
  });

  test("[CO6] what is seen is marked read once, when someone looks at it", async () => {
    const { conversation, server, page, machine } = await openedTab(3);
    page.change({ attentive: false });
    conversation.noteSeen();
    await machine.clock.advance(1_000);
    expect(server.marks).toEqual([]);
    expect(conversation.unread.value.count).toBe(3);
    page.change({ attentive: true });
    conversation.noteSeen();
    server.post("m4");
    conversation.noteSeen();
    expect(conversation.unread.value).toEqual({ lastSeq: 4, readSeq: 4, count: 0 });
    await machine.clock.advance(1_000);
    expect(server.marks).toEqual([4]);
  });

  test("[CO7] a mark that could not be told is told after the reconnect", async () => {
    const { conversation, server, wire, machine } = await openedTab(2);
    wire.cut();
    conversation.noteSeen();
    await machine.clock.advance(400);
    await machine.clock.advance(600);
    server.ready();
    await machine.clock.advance(1_000);
    expect(server.marks).toEqual([2]);
  });

  test("[CO8] the unread line stays where the reader stopped, until they write", async () => {
    const { conversation, server, page, machine } = await openedTab(2);
    conversation.noteSeen();
    await machine.clock.advance(1_000);
    page.change({ attentive: false });
    server.post("while away");
    expect(conversation.unreadFrom.value).toBe(2);
    page.change({ attentive: true });
    conversation.noteSeen();
    expect(conversation.unreadFrom.value).toBe(2);
    conversation.send({ content: "back" });
    expect(conversation.unreadFrom.value).toBeUndefined();
  });

  test("[CO11] the first new message is reached, however far back it is", async () => {
    const { conversation, server, machine, leave, live, wire } = await openedTab(10);
    conversation.noteSeen();
    await machine.clock.advance(1_000);
    leave();
    for (let count = 0; count < 130; count += 1) server.post(`later ${count}`);
    live.conversation(CHANNEL).open();
    expect(conversation.unreadFrom.value).toBe(10);
    wire.cut();
    for (let count = 0; count < 300; count += 1) server.post(`much later ${count}`, false);
    server.syncLimit = 5;
    await machine.clock.advance(1_000);
    server.ready();
    await machine.clock.advance(5_000);
    expect(conversation.timeline.value.messages).toHaveLength(50);
    expect(await conversation.reachUnread()).toBe(true);
    expect(conversation.timeline.value.messages[0]?.seq).toBeLessThanOrEqual(11);
    const [first] = server.messages;
    expect(await conversation.reach(first?.id ?? ("" as never))).toBe(true);
    expect(await conversation.reach("018f0000-0000-7000-8000-000000000000" as never)).toBe(false);
  });

  test("[CO9] typing is told at most every 5 s, and ends by itself or with the message", async () => {
    const { conversation, server, wire, machine } = await openedTab();
    for (let key = 0; key < 30; key += 1) {
      conversation.noteTyping();
      await machine.clock.advance(300);
    }
    expect(wire.bodies("typing:start")).toHaveLength(2);
    wire.push("typing", { channelId: CHANNEL, userId: ANA });
    wire.push("typing", { channelId: CHANNEL, userId: LEO });
    expect(conversation.typing.value).toEqual([LEO]);
    await machine.clock.advance(8_100);
    expect(conversation.typing.value).toEqual([]);
    wire.push("typing", { channelId: CHANNEL, userId: LEO });
    server.post("done");
    expect(conversation.typing.value).toEqual([]);
  });

  test("[CO10] a conversation left long ago forgets its messages", async () => {
    const { conversation, live, leave, server } = await openedTab(120);
    conversation.loadOlder();
    await settle();
    leave();
    expect(conversation.timeline.value.messages.length).toBeLessThanOrEqual(200);
    for (let other = 0; other < 30; other += 1) {
      const left = live
        .conversation(`018f0000-0000-7000-8000-0000000001${String(other).padStart(2, "0")}` as typeof CHANNEL)
        .open();
      await settle();
      left();
    }
    expect(conversation.timeline.value.loaded).toBe(false);
    expect(server.messages).toHaveLength(120);
  });
});

describe("places", () => {
  test("[PL1] servers, channels and members follow their events", async () => {
    const { live, server, wire } = await openedTab();
    const channel = { ...server.channel, id: "018f0000-0000-7000-8000-000000000009", name: "second", position: 0 };
    wire.push("channel:created", { channel });
    expect(live.channels(SERVER).value.map(({ name }) => name)).toEqual(["general", "second"]);
    wire.push("channel:updated", { channel: { ...channel, name: "other" } });
    wire.push("server:updated", { server: { ...server.server, name: "House" } });
    expect(live.servers.value.map(({ name }) => name)).toEqual(["House"]);
    const user = { id: LEO, username: "leo", displayName: "Léo" };
    const close = live.openServer(SERVER);
    await settle();
    wire.push("member:joined", {
      serverId: SERVER,
      member: { user, roleIds: [], joinedAt: self.createdAt, status: "online" },
    });
    expect(live.members(SERVER).value.members.map((member) => member.user.displayName)).toEqual(["Léo"]);
    expect(live.person(LEO).value?.displayName).toBe("Léo");
    expect(live.server(SERVER).value?.memberCount).toBe(3);
    wire.push("member:left", { serverId: SERVER, userId: LEO });
    expect(live.members(SERVER).value.members).toEqual([]);
    close();
    const happenings: string[] = [];
    live.onHappening(({ kind }) => happenings.push(kind));
    wire.push("server:left", { serverId: SERVER, reason: "kicked" });
    expect(live.servers.value).toEqual([]);
    expect(happenings).toEqual(["serverLeft"]);
  });

  test("[PL2] what happened to old messages while one was away is nothing new", async () => {
    const { live, server } = await openedTab(1);
    server.readSeq = 1;
    server.lastSeq = 4;
    server.ready();
    expect(live.unread(CHANNEL).value).toMatchObject({ lastSeq: 4, count: 0 });
    server.post("news", false);
    server.ready();
    expect(live.unreadInServer(SERVER).value).toBe(true);
  });

  test("[PL2] unread counts messages of others, and edits, deletions and reactions are nothing new", async () => {
    const { live, server, wire, conversation, machine } = await openedTab(1);
    conversation.noteSeen();
    await machine.clock.advance(1_000);
    wire.push("message:deleted", { id: server.messages[0]?.id, channelId: CHANNEL, seq: (server.lastSeq += 1) });
    expect(live.unreadInServer(SERVER).value).toBe(false);
    server.post("news");
    expect(live.unread(CHANNEL).value.count).toBe(1);
    expect(live.unreadInServer(SERVER).value).toBe(true);
    wire.push("read:updated", { channelId: CHANNEL, seq: server.lastSeq });
    expect(live.unread(CHANNEL).value.count).toBe(0);
  });

  test("[PB1] what was told of people just before the connection was lost is not said after the next `ready`", async () => {
    const { live, machine, server, wire } = await openedTab();
    const leo = live.presence(LEO);
    wire.push("presence:update", { userId: LEO, status: "online" });
    wire.cut(4401);
    await machine.clock.advance(0);
    server.ready();
    await machine.clock.advance(1_000);
    expect(leo.value.status).toBe("offline");
    wire.push("presence:update", { userId: LEO, status: "online" });
    await machine.clock.advance(1_000);
    expect(leo.value.status).toBe("online");
  });

  test("[PL3] an unknown person is asked for once, and a deleted account is known as gone", async () => {
    const { live, machine } = await openedTab();
    const person = live.person(LEO);
    expect(person.value).toBeUndefined();
    await machine.clock.advance(300);
    expect(person.value).toBeNull();
    expect(live.person(LEO)).toBe(person);
  });
});
