import type { Member } from "@lescopains/protocol/entities";
import type { ChannelId, ServerId, UserId } from "@lescopains/protocol/ids";
import type { FriendLists } from "@lescopains/protocol/rest";
import { describe, expect, test } from "vitest";
import { unavailable } from "../net/api-error.ts";
import { createDrafts } from "./drafts.ts";
import { createFriends } from "./friends.ts";
import { FakeClock, FakeStorage, settle } from "./fakes.ts";
import { createMemberBook } from "./members.ts";
import { createPeople } from "./people.ts";
import { createPresenceBook } from "./presence.ts";

const SERVER = "018f0000-0000-7000-8000-000000000001" as ServerId;
const ANA = "018f0000-0000-7000-8000-0000000000aa" as UserId;

function memberOf(index: number, status: Member["status"] = "online"): Member {
  const id = `018f0000-0000-7000-9000-${String(index).padStart(12, "0")}` as UserId;
  return {
    user: { id, username: `u${index}`, displayName: `U${index}` },
    roleIds: [],
    joinedAt: "2026-11-22T10:00:00.000Z",
    status,
  };
}

class Roll {
  members: Member[] = [];
  loads = 0;
  down = false;
  gate: Promise<void> = Promise.resolve();
  noted: (members: readonly Member[]) => void = () => undefined;
  readonly clock = new FakeClock();
  readonly book = createMemberBook({
    loadPage: async (_, after) => {
      if (after === undefined) this.loads += 1;
      const start = after === undefined ? 0 : this.members.findIndex(({ user }) => user.id === after) + 1;
      const members = this.members.slice(start, start + 100);
      const next = start + 100 < this.members.length ? (members.at(-1)?.user.id ?? null) : null;
      await this.gate;
      if (this.down) throw unavailable("away");
      return { members, next };
    },
    noteMembers: (members) => this.noted(members),
    clock: this.clock,
    random: () => 1,
  });
}

describe("members", () => {
  test("[ME1] come page by page, and events that happen meanwhile are not undone by a page", async () => {
    const roll = new Roll();
    roll.members = Array.from({ length: 250 }, (_, index) => memberOf(index));
    const gate = Promise.withResolvers<void>();
    roll.gate = gate.promise;
    const list = roll.book.of(SERVER);
    const close = roll.book.open(SERVER);
    await settle();
    roll.book.drop(SERVER, memberOf(3).user.id);
    roll.book.put(SERVER, memberOf(900));
    gate.resolve();
    await settle();
    const ids = list.value.members.map(({ user }) => user.username);
    expect(list.value.complete).toBe(true);
    expect(ids).toHaveLength(250);
    expect(ids).not.toContain("u3");
    expect(ids).toContain("u900");
    close();
  });

  test("[ME1] who comes online while a page that was read before is on its way is online", async () => {
    const roll = new Roll();
    const [first, second] = [memberOf(1, "offline"), memberOf(2, "online")];
    roll.members = [first, second];
    const noted: Member[] = [];
    roll.noted = (members) => noted.push(...members);
    const gate = Promise.withResolvers<void>();
    roll.gate = gate.promise;
    const list = roll.book.of(SERVER);
    roll.book.open(SERVER);
    await settle();
    roll.book.notePresences([{ userId: first.user.id, status: "online", customStatus: "lunch" }]);
    roll.book.notePresences([{ userId: second.user.id, status: "offline" }]);
    gate.resolve();
    await settle();
    const known = [{ status: "online", customStatus: "lunch" }, { status: "offline" }];
    expect(list.value.members).toMatchObject(known);
    expect(noted).toMatchObject(known);
  });

  test("[ME5] a list that was being read while the connection was away is read once more", async () => {
    const roll = new Roll();
    roll.members = Array.from({ length: 150 }, (_, index) => memberOf(index));
    const gate = Promise.withResolvers<void>();
    roll.gate = gate.promise;
    const list = roll.book.of(SERVER);
    roll.book.open(SERVER);
    await settle();
    // Nobody told this browser.
    roll.members = roll.members.slice(1);
    roll.book.reconnected();
    gate.resolve();
    await settle();
    expect(list.value.members.map(({ user }) => user.username)).not.toContain("u0");
    expect(list.value.members).toHaveLength(149);
  });

  test("[ME2] with more than 250 online the list is read again every 25 s while it is open, with fewer it is not", async () => {
    const roll = new Roll();
    roll.members = Array.from({ length: 251 }, (_, index) => memberOf(index));
    const close = roll.book.open(SERVER);
    await roll.clock.advance(80_000);
    expect(roll.loads).toBe(4);
    roll.members = roll.members.map((member, index) => memberOf(index, index < 10 ? "offline" : member.status));
    await roll.clock.advance(25_000);
    await roll.clock.advance(80_000);
    expect(roll.loads).toBe(5);
    close();
    await roll.clock.advance(80_000);
    expect(roll.loads).toBe(5);
  });

  test("[ME3] a failed load says why and is tried again", async () => {
    const roll = new Roll();
    roll.members = [memberOf(1)];
    roll.down = true;
    const list = roll.book.of(SERVER);
    roll.book.open(SERVER);
    await settle();
    expect(list.value).toMatchObject({ members: [], complete: false, error: { code: "unavailable" } });
    roll.down = false;
    await roll.clock.advance(2_000);
    expect(list.value).toMatchObject({ complete: true, error: undefined });
  });

  test("[ME4] a presence reaches the lists that hold its person, and redraws no other", () => {
    const roll = new Roll();
    const list = roll.book.of(SERVER);
    roll.book.open(SERVER);
    roll.book.put(SERVER, memberOf(1));
    const before = list.value;
    roll.book.notePresences([{ userId: ANA, status: "dnd" }]);
    expect(list.value).toBe(before);
    roll.book.notePresences([{ userId: memberOf(1).user.id, status: "idle", customStatus: "lunch" }]);
    expect(list.value.members[0]).toMatchObject({ status: "idle", customStatus: "lunch" });
    roll.book.notePresences([{ userId: memberOf(1).user.id, status: "online" }]);
    expect(list.value.members[0]?.customStatus).toBeUndefined();
  });
});

describe("friends", () => {
  test("[PL4] what is asked while an earlier question is on its way is asked after it, also when that one fails", async () => {
    const answers = [Promise.withResolvers<FriendLists>(), Promise.withResolvers<FriendLists>()];
    let asked = 0;
    const { lists, refresh } = createFriends(
      async () => await (answers[asked++]?.promise ?? Promise.reject(unavailable("no"))),
    );
    refresh();
    refresh();
    refresh();
    expect(asked).toBe(1);
    answers[0]?.reject(unavailable("lost with the connection"));
    await settle();
    expect(asked).toBe(2);
    const leo = memberOf(1).user;
    answers[1]?.resolve({ friends: [leo], incoming: [], outgoing: [] });
    await settle();
    expect(lists.value.friends).toEqual([leo]);
    expect(asked).toBe(2);
  });
});

describe("people", () => {
  test("[PL3] who could not be asked for is asked for again by itself, and not after the end", async () => {
    const clock = new FakeClock();
    const [known, unknown] = [memberOf(1).user, memberOf(2).user];
    let down = true;
    const asked: UserId[] = [];
    const people = createPeople(async (id) => {
      asked.push(id);
      if (down || id === unknown.id) throw unavailable("away");
      return known;
    }, clock);
    const person = people.of(known.id);
    people.of(unknown.id);
    await clock.advance(1_000);
    expect(person.value).toBeUndefined();
    down = false;
    await clock.advance(15_000);
    expect(person.value).toEqual(known);
    expect(asked.filter((id) => id === known.id)).toHaveLength(2);
    people.close();
    asked.length = 0;
    await clock.advance(60_000);
    expect(asked).toEqual([]);
  });
});

describe("presence", () => {
  test("[PB1] whoever a whole `ready` doesn't name is offline; a cut one says nothing of them", () => {
    const book = createPresenceBook();
    book.note([{ userId: ANA, status: "online" }]);
    const ana = book.of(ANA);
    book.restart([], false);
    expect(ana.value.status).toBe("online");
    book.restart([], true);
    expect(ana.value.status).toBe("offline");
  });
});

describe("drafts", () => {
  const channel = (index: number) => `018f0000-0000-7000-8000-${String(index).padStart(12, "0")}` as ChannelId;

  test("[DR1] are kept over reloads, each person's own, and gone once sent", async () => {
    const [storage, clock] = [new FakeStorage(), new FakeClock()];
    const drafts = createDrafts(ANA, storage, clock);
    drafts.set(channel(1), "half a tho");
    await clock.advance(400);
    expect(createDrafts(ANA, storage, clock).of(channel(1)).value).toBe("half a tho");
    expect(createDrafts("other" as UserId, storage, clock).of(channel(1)).value).toBe("");
    drafts.set(channel(1), "");
    expect(storage.keys()).toEqual([]);
  });

  test("[DR2] are 100 at most: the oldest goes", async () => {
    const [storage, clock] = [new FakeStorage(), new FakeClock()];
    const drafts = createDrafts(ANA, storage, clock);
    for (let index = 0; index < 101; index += 1) {
      drafts.set(channel(index), `draft ${index}`);
      await clock.advance(400);
    }
    expect(storage.keys()).toHaveLength(100);
    expect(createDrafts(ANA, storage, clock).of(channel(0)).value).toBe("");
    expect(createDrafts(ANA, storage, clock).of(channel(100)).value).toBe("draft 100");
  });

  test("[DR3] what is not ours in storage is no draft", () => {
    const storage = new FakeStorage();
    storage.set(`lescopains:draft:${ANA}:${channel(1)}`, "not json");
    expect(createDrafts(ANA, storage, new FakeClock()).of(channel(1)).value).toBe("");
  });
});
