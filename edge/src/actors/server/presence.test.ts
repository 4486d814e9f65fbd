import type { UserId } from "@lescopains/protocol/ids";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LocalPresence } from "../gateway/messages.ts";
import { PresenceTable } from "./presence.ts";

const user = (name: string) => name as UserId;
const [ann, bob] = [user("ann"), user("bob")];
const ALL = 1_000;

function table(pushUpTo = 250): PresenceTable {
  return new PresenceTable(pushUpTo);
}

test("[PR1] online from the first connection to the last one's end", () => {
  const presence = table();
  presence.set(ann, 0, { status: "online" });
  presence.set(ann, 1, { status: "online" });
  presence.clear(ann, 0);
  expect(presence.shown(ann)).toEqual({ status: "online" });
  presence.clear(ann, 1);
  expect(presence.shown(ann)).toEqual({ status: "offline" });
  expect(presence.online).toBe(0);
});

test.each<[LocalPresence["status"][], string]>([
  [["online", "dnd"], "dnd"],
  [["idle", "online"], "online"],
  [["idle", "dnd", "online"], "dnd"],
  [["invisible", "idle"], "idle"],
  [["invisible"], "offline"],
])("[PR2] shards that say %j show %s", (statuses, shown) => {
  const presence = table();
  statuses.forEach((status, shard) => presence.set(ann, shard, { status }));
  expect(presence.shown(ann).status).toBe(shown);
});

test("[PR2] a status chosen on one connection holds for all", () => {
  const presence = table();
  presence.set(ann, 0, { status: "online" });
  presence.set(ann, 1, { status: "dnd" });
  presence.choose(ann, 0, { status: "invisible" });
  expect(presence.shown(ann)).toEqual({ status: "offline" });
});

describe("news", () => {
  test("[PR3] a change is told once, and one that cancels out is not told", () => {
    const presence = table();
    presence.set(ann, 0, { status: "online" });
    expect(presence.take(ALL)).toEqual([{ to: "members", presence: { userId: ann, status: "online" } }]);
    presence.clear(ann, 0);
    presence.set(ann, 0, { status: "online" });
    expect(presence.hasNews).toBe(true);
    expect(presence.take(ALL)).toEqual([]);
    expect(presence.hasNews).toBe(false);
  });

  test("[PR4] above the bound others are told nothing; below it again, what changed since", () => {
    const presence = table(1);
    presence.set(ann, 0, { status: "online" });
    presence.take(ALL);
    presence.set(bob, 0, { status: "dnd" });
    expect(presence.take(ALL).filter(({ to }) => to === "members")).toEqual([]);
    expect(presence.hasNews).toBe(false);
    presence.clear(ann, 0);
    expect(presence.take(ALL)).toEqual([
      { to: "members", presence: { userId: bob, status: "dnd" } },
      { to: "members", presence: { userId: ann, status: "offline" } },
    ]);
  });

  test("[PR4] above the bound a person is still told of their own change", () => {
    const presence = table(0);
    presence.set(ann, 0, { status: "online" });
    presence.take(ALL);
    presence.choose(ann, 0, { status: "dnd" });
    expect(presence.take(ALL)).toEqual([{ to: [ann], presence: { userId: ann, status: "dnd" } }]);
  });

  test("[PR4] at most so many at once, the rest later", () => {
    const presence = table();
    for (let index = 0; index < 5; index += 1) presence.set(user(`u${index}`), 0, { status: "online" });
    const told = new Set<UserId>();
    let rounds = 0;
    for (; presence.hasNews; rounds += 1) for (const news of presence.take(2)) told.add(news.presence.userId);
    expect(told.size).toBe(5);
    expect(rounds).toBeGreaterThan(2);
  });

  test("[PR5] invisible: others are told offline and nothing else, the person keeps their custom status", () => {
    const presence = table();
    presence.set(ann, 0, { status: "online", customStatus: "cooking" });
    presence.take(ALL);
    presence.choose(ann, 0, { status: "invisible", customStatus: "hiding" });
    expect(presence.take(ALL)).toEqual([
      { to: "members", presence: { userId: ann, status: "offline" } },
      { to: [ann], presence: { userId: ann, status: "offline", customStatus: "hiding" } },
    ]);
    expect(presence.shownTo(bob, ALL).some(({ userId }) => userId === ann)).toBe(false);
  });

  test("[PR6] a bounded list of people who are not offline, the reader first", () => {
    const presence = table();
    for (let index = 0; index < 9; index += 1) presence.set(user(`u${index}`), 0, { status: "online" });
    presence.set(bob, 0, { status: "invisible" });
    const list = presence.shownTo(bob, 4);
    expect(list).toHaveLength(4);
    expect(list[0]).toEqual({ userId: bob, status: "offline" });
  });

  test("[PR7] nothing is told of someone who left", () => {
    const presence = table();
    presence.set(ann, 0, { status: "online" });
    presence.remove(ann);
    expect(presence.take(ALL)).toEqual([]);
    expect(presence.online).toBe(0);
  });

  test("[PR8] seeded people are told already; unsure ones are told in any case", () => {
    const presence = table();
    presence.seed(ann, 0, { status: "online" });
    expect(presence.hasNews).toBe(false);
    presence.unsure(ann);
    presence.set(ann, 0, { status: "online" });
    expect(presence.take(ALL)[0]).toEqual({ to: "members", presence: { userId: ann, status: "online" } });
    presence.unsure(bob);
    expect(presence.take(ALL)).toEqual([{ to: "members", presence: { userId: bob, status: "offline" } }]);
  });
});

test("[PR3] after everything is told, others know exactly what is shown, and each person what is theirs", () => {
  const names = ["a", "b", "c", "d"].map(user);
  const local = fc.record(
    {
      status: fc.constantFrom<LocalPresence["status"]>("online", "idle", "dnd", "invisible"),
      customStatus: fc.constantFrom("x", "y"),
    },
    { requiredKeys: ["status"] },
  );
  const step = fc.oneof(
    fc.record({ kind: fc.constant("set" as const), who: fc.constantFrom(...names), shard: fc.nat(2), local }),
    fc.record({ kind: fc.constant("choose" as const), who: fc.constantFrom(...names), shard: fc.nat(2), local }),
    fc.record({ kind: fc.constant("clear" as const), who: fc.constantFrom(...names), shard: fc.nat(2) }),
    fc.record({ kind: fc.constant("take" as const), limit: fc.integer({ min: 1, max: 3 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(1, 2, 250), (steps, pushUpTo) => {
      const presence = table(pushUpTo);
      const others = new Map<UserId, string>();
      const selves = new Map<UserId, string>();
      const take = (limit: number) => {
        for (const {
          to,
          presence: { userId, ...said },
        } of presence.take(limit)) {
          if (to === "members") others.set(userId, JSON.stringify(said));
          selves.set(userId, JSON.stringify(said));
        }
      };
      for (const one of steps) {
        if (one.kind === "set") presence.set(one.who, one.shard, one.local);
        else if (one.kind === "choose") presence.choose(one.who, one.shard, one.local);
        else if (one.kind === "clear") presence.clear(one.who, one.shard);
        else take(one.limit);
      }
      while (presence.hasNews) take(3);
      const connected = names.filter((name) => presence.isOnline(name));
      expect(presence.online).toBe(connected.length);
      for (const name of connected) {
        expect(selves.get(name) ?? '{"status":"offline"}').toBe(JSON.stringify(presence.own(name)));
      }
      if (presence.online > pushUpTo) return;
      for (const name of names)
        expect(others.get(name) ?? '{"status":"offline"}').toBe(JSON.stringify(presence.shown(name)));
    }),
    { seed: 20_261_105, numRuns: 400 },
  );
});
