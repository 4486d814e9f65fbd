import type { ChannelId, ServerId, UserId } from "@lescopains/protocol/ids";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Roster } from "./roster.ts";

const server = "s" as ServerId;
const general = "general" as ChannelId;
const secret = "secret" as ChannelId;
const [alice, bob] = ["alice", "bob"] as [UserId, UserId];
const online = { status: "online" } as const;

function twoMembers(): Roster<string> {
  const roster = new Roster<string>();
  roster.add(alice, "alice-1", online);
  roster.add(alice, "alice-2", online);
  roster.add(bob, "bob-1", online);
  roster.apply(server, 1, { userId: alice, channelIds: [general, secret] });
  roster.apply(server, 1, { userId: bob, channelIds: [general] });
  return roster;
}

test("[RO1] an event of a channel goes to all sockets of those who may view it, and to nobody else", () => {
  const roster = twoMembers();
  expect(roster.viewing(server, general)).toEqual(["alice-1", "alice-2", "bob-1"]);
  expect(roster.viewing(server, secret)).toEqual(["alice-1", "alice-2"]);
});

test("[RO2] what is older than what is known changes nothing", () => {
  const roster = twoMembers();
  expect(roster.apply(server, 5, { userId: bob, channelIds: null })).toBe(true);
  expect(roster.apply(server, 4, { userId: bob, channelIds: [general, secret] })).toBe(false);
  expect(roster.viewing(server, general)).toEqual(["alice-1", "alice-2"]);
  expect(roster.members(server)).toEqual(new Set([alice]));
});

test("[RO3] a person is gone with their last socket, and their next one starts afresh", () => {
  const roster = twoMembers();
  expect(roster.remove(alice, "alice-1")).toBeUndefined();
  expect(roster.remove(alice, "alice-2")).toMatchObject({ id: alice });
  expect(roster.viewing(server, secret)).toEqual([]);
  roster.add(alice, "alice-3", online);
  expect(roster.viewing(server, general)).toEqual(["bob-1"]);
  expect(roster.apply(server, 1, { userId: alice, channelIds: [secret] })).toBe(true);
  expect(roster.viewing(server, secret)).toEqual(["alice-3"]);
});

test("[RO4] after hibernation access is unknown until the server actor has told it", () => {
  const roster = new Roster<string>();
  roster.add(alice, "alice-1", online);
  roster.join(server, alice);
  roster.forgetAccess();
  expect(roster.isIncomplete(server)).toBe(true);
  expect(roster.viewing(server, general)).toEqual([]);
  roster.apply(server, 3, { userId: alice, channelIds: [general] });
  roster.completed(server);
  expect(roster.isIncomplete(server)).toBe(false);
  expect(roster.viewing(server, general)).toEqual(["alice-1"]);
});

test("[RO5] whatever happens, viewers are exactly what was last told of each person who is here", () => {
  const step = fc.record({
    who: fc.constantFrom(alice, bob),
    what: fc.constantFrom("connect", "disconnect", "access"),
    channels: fc.option(fc.subarray([general, secret]), { nil: null }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const roster = new Roster<string>();
      const model = new Map<UserId, { sockets: Set<string>; channels: Set<ChannelId> }>();
      let version = 0;
      for (const { who, what, channels } of steps) {
        version += 1;
        const known = model.get(who);
        if (what === "connect") {
          const socket = `${who}-${version}`;
          roster.add(who, socket, online);
          if (known === undefined) model.set(who, { sockets: new Set([socket]), channels: new Set() });
          else known.sockets.add(socket);
        } else if (what === "disconnect" && known !== undefined) {
          const [socket] = known.sockets;
          if (socket === undefined) throw new Error("a person without a socket is not here");
          roster.remove(who, socket);
          known.sockets.delete(socket);
          if (known.sockets.size === 0) model.delete(who);
        } else if (what === "access") {
          roster.apply(server, version, { userId: who, channelIds: channels });
          if (known !== undefined) known.channels = new Set(channels ?? []);
        }
        for (const channel of [general, secret]) {
          const expected = [...model.values()]
            .filter((user) => user.channels.has(channel))
            .flatMap((user) => [...user.sockets]);
          expect(roster.viewing(server, channel).toSorted()).toEqual(expected.toSorted());
        }
      }
    }),
    { seed: 11, numRuns: 300 },
  );
});
