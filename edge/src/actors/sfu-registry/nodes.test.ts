import type { ChannelId, JoinId, SessionId, UserId } from "@lescopains/protocol/ids";
import { describe, expect, test } from "vitest";
import { choose, type Registration, SfuNode } from "./nodes.ts";

const room = "room" as ChannelId;
const presence = (n: number) => ({
  peerId: `peer ${n}`,
  joinId: `join ${n}` as JoinId,
  userId: `user ${n}` as UserId,
  deviceId: null,
  sessionId: `session ${n}` as SessionId,
  sources: [],
});

function node(nodeId: string, more: Partial<Registration> & { readonly cpu?: number } = {}): SfuNode {
  const load = { cpu: more.cpu ?? 0, rooms: 0, peers: 0, bitrateIn: 0, bitrateOut: 0 };
  const what = { version: "1", startedAt: 0, workers: 1, draining: false, rooms: [], nonce: "" };
  return new SfuNode({ type: "register", nodeId, region: "eu", url: `https://${nodeId}`, load, ...what, ...more });
}

describe("[VO21] the node of a room", () => {
  test("is the one where it is, also when that one is busy, drains or is out of sight", () => {
    const rooms = [{ roomId: room, encrypted: true, peers: [presence(1)] }];
    const here = node("here", { cpu: 0.9, draining: true, rooms });
    here.reachable = false;
    expect(choose([node("idle"), here], room, ["here"], "eu")?.node).toBe("here");
  });

  test("is another one when that one drains and does not have it (any more): it would let nobody in", () => {
    const emptied = node("emptied", { draining: true });
    expect(choose([node("idle"), emptied], room, ["emptied"], "eu")?.node).toBe("idle");
    emptied.draining = false;
    expect(choose([node("idle"), emptied], room, ["emptied"], "eu")?.node).toBe("emptied");
  });

  test("is the least busy one of the region otherwise, of the world if the region has none", () => {
    const nodes = [node("a", { cpu: 0.5 }), node("b", { cpu: 0.2 }), node("c", { region: "na" })];
    expect(choose(nodes, room, ["gone"], "eu")?.node).toBe("b");
    expect(choose(nodes, room, [], "na")?.node).toBe("c");
    expect(choose(nodes, room, [], "af")?.node).toBe("c");
    expect(choose(nodes, room, [], null)).toEqual({ node: "c", url: "https://c" });
  });

  test("is never one that drains or is out of sight, for a new room", () => {
    const lost = node("lost");
    lost.reachable = false;
    expect(choose([lost, node("drains", { draining: true })], room, [], "eu")).toBeNull();
  });
});

describe("[VO7] what a node says of its rooms", () => {
  test("is told until it is taken in, with why people went", () => {
    const one = node("one", { rooms: [{ roomId: room, encrypted: true, peers: [presence(1)] }] });
    one.take({ type: "joined", roomId: room, peer: presence(2) });
    one.take({ type: "sources", roomId: room, peerId: "peer 2", sources: ["audio"] });
    const { joinId, userId, sessionId } = presence(1);
    one.take({ type: "left", roomId: room, peerId: "peer 1", userId, sessionId, reason: "left" });
    expect(one.report(room)).toEqual({
      peers: [{ ...presence(2), sources: ["audio"] }],
      gone: [{ joinId, userId, sessionId, deviceId: null, reason: "left" }],
    });
    expect(one.report(room).gone).toHaveLength(1);
    one.take({ type: "left", roomId: room, peerId: "peer 2", userId, sessionId, reason: "lost" });
    one.taken(room);
    expect(one.report(room).gone).toMatchObject([{ reason: "lost" }]);
    one.taken(room);
    expect(one.report(room).gone).toEqual([]);
  });

  test("a room without people is none", () => {
    const one = node("one");
    one.take({ type: "joined", roomId: room, peer: presence(1) });
    expect([one.has(room), one.rooms]).toEqual([true, [room]]);
    const { userId, sessionId } = presence(1);
    one.take({ type: "left", roomId: room, peerId: "peer 1", userId, sessionId, reason: "left" });
    expect([one.has(room), one.rooms]).toEqual([false, []]);
    one.take({ type: "left", roomId: room, peerId: "nobody", userId, sessionId, reason: "left" });
  });
});
