import { jwtVerify } from "jose";
import { expect, test } from "vitest";
import { eventually } from "../../../tests/sfu/kit/eventually.ts";
import { join, type Joined } from "../../../tests/sfu/kit/client.ts";
import { newRoom, newUser } from "../../../tests/sfu/kit/edge.ts";
import { fakeNode } from "../../../tests/sfu/kit/node.ts";
import { type Registry, secret, startRegistry } from "../../../tests/sfu/kit/registry.ts";
import { opusParameters } from "../../../tests/sfu/kit/rtp-samples.ts";

const node = (registry: Registry) =>
  fakeNode({ SFU_REGISTRY_URL: registry.url, SFU_SECRET: secret, SFU_REGION: "home" });

async function microphone({ client }: Joined): Promise<string> {
  const { transportId } = await client.must("transport", { direction: "send" });
  const rtpParameters = opusParameters();
  return (await client.must("produce", { transportId, source: "audio", kind: "audio", rtpParameters })).producerId;
}

test("[SG1] a node registers with the secret, beats each second, and tells who comes, sends and goes", async () => {
  const registry = await startRegistry();
  const { url, edge } = await node(registry);
  expect(await registry.until("register")).toMatchObject({
    nodeId: "test-node",
    region: "home",
    workers: 2,
    rooms: [],
  });
  const { payload } = await jwtVerify(registry.tokens[0] ?? "", Buffer.from(secret), { audience: "sfu-registry" });
  expect(payload.iss).toBe("test-node");
  const room = newRoom();
  const person = await join(url, await edge.token({ room }));
  const { peerId, userId } = person.ready.peer;
  expect(await registry.until("joined")).toMatchObject({ roomId: room, peer: { peerId, userId, sources: [] } });
  const producerId = await microphone(person);
  expect(await registry.until("sources")).toEqual({ type: "sources", roomId: room, peerId, sources: ["audio"] });
  await person.client.must("producer:pause", { producerId });
  expect(await registry.until("sources", 1)).toMatchObject({ sources: [] });
  const busy = { type: "heartbeat", draining: false, load: expect.objectContaining({ rooms: 1, peers: 1 }) };
  await eventually(() => expect(registry.received).toContainEqual(busy));
  await person.client.must("leave", {});
  expect(await registry.until("left")).toMatchObject({ roomId: room, peerId, userId, reason: "left" });
});

test("[SG7] of a check the edge is told nothing, and it joins no room of people", async () => {
  const registry = await startRegistry();
  const { url, edge } = await node(registry);
  await registry.until("register");
  const room = newRoom();
  await join(url, await edge.token({ probe: true }));
  const { ready } = await join(url, await edge.token({ room }));
  await expect(edge.token({ room, probe: true }).then((token) => join(url, token))).rejects.toThrow("forbidden");
  expect(await registry.until("joined")).toMatchObject({ peer: { peerId: ready.peer.peerId } });
  registry.drop();
  expect((await registry.until("register", 1)).rooms.map(({ roomId }) => roomId)).toEqual([room]);
});

test("[SG2] an edge that comes back, or falls silent, is told the whole truth again", async () => {
  const registry = await startRegistry({ beats: false });
  const { url, edge } = await node(registry);
  await registry.until("register");
  const room = newRoom();
  const { ready } = await join(url, await edge.token({ room }));
  registry.drop();
  const again = await registry.until("register", 1);
  expect(again.rooms).toEqual([
    { roomId: room, encrypted: true, peers: [expect.objectContaining({ peerId: ready.peer.peerId })] },
  ]);
  // It does not answer heartbeats: after 3 s the node tries anew.
  expect((await registry.until("register", 2)).startedAt).toBe(again.startedAt);
});

test("[SG3] kick, move and close end a stay at once and say why", async () => {
  const registry = await startRegistry();
  const { url, edge } = await node(registry);
  await registry.until("register");
  const [roomId, channelId] = [newRoom(), newRoom()];
  const [kicked, moved, both] = [newUser(), newUser(), newUser()];
  const joinAs = async (sub: typeof kicked, did = 1) => join(url, await edge.token({ room: roomId, sub, did }));
  const people = [await joinAs(kicked), await joinAs(moved), await joinAs(both, 1), await joinAs(both, 2)] as const;
  registry.send({ type: "kick", id: "1", roomId, userId: kicked });
  expect(await people[0].client.until("closed")).toEqual({ reason: "kicked" });
  registry.send({ type: "move", id: "2", roomId, userId: moved, channelId });
  expect(await people[1].client.until("closed")).toEqual({ reason: "moved", channelId });
  registry.send({ type: "kick", id: "3", roomId, userId: both, deviceId: 2 });
  expect(await people[3].client.until("closed")).toEqual({ reason: "kicked" });
  registry.send({ type: "kick", id: "4", roomId, userId: newUser() });
  expect(await registry.until("done", 3)).toEqual({ type: "done", id: "4", found: false });
  expect(people[2].client.of("closed")).toEqual([]);
  registry.send({ type: "close-room", id: "5", roomId });
  expect(await people[2].client.until("closed")).toEqual({ reason: "room_closed" });
  expect(await registry.until("done", 4)).toEqual({ type: "done", id: "5", found: true });
  expect(await registry.until("left", 3)).toMatchObject({ reason: "room_closed" });
});

test("[SG4] rights change live: without one its source is paused, whatever its owner says, until it is back", async () => {
  const registry = await startRegistry();
  const { url, edge } = await node(registry);
  await registry.until("register");
  const roomId = newRoom();
  const [speaker, witness] = [
    await join(url, await edge.token({ room: roomId })),
    await join(url, await edge.token({ room: roomId })),
  ];
  const producerId = await microphone(speaker);
  const { userId } = speaker.ready.peer;
  registry.send({ type: "rights", id: "1", roomId, userId, rights: ["video"] });
  expect(await speaker.client.until("rights")).toEqual({ rights: ["video"] });
  expect(await witness.client.until("producer:state")).toMatchObject({ producerId, paused: true });
  expect(await speaker.client.ask("producer:resume", { producerId })).toMatchObject({ code: "forbidden" });
  expect(await registry.until("sources", 1)).toMatchObject({ sources: [] });
  registry.send({ type: "rights", id: "2", roomId, userId, rights: ["video", "speak"] });
  await witness.client.until("producer:state", ({ paused }) => !paused);
  await speaker.client.must("producer:pause", { producerId });
  registry.send({ type: "rights", id: "3", roomId, userId, rights: [] });
  registry.send({ type: "rights", id: "4", roomId, userId, rights: ["speak"] });
  await registry.until("done", 3);
  expect((await witness.client.must("state", {})).peers[0]?.producers).toMatchObject([{ producerId, paused: true }]);
});

test("[SG5] a node that drains takes no new rooms, lets calls go on and people into them, and at the deadline sends people elsewhere", async () => {
  const registry = await startRegistry();
  const { url, edge } = await node(registry);
  await registry.until("register");
  const room = newRoom();
  const stays = await join(url, await edge.token({ room }));
  registry.send({ type: "drain", id: "1", deadlineMs: 3_600_000 });
  await registry.until("done");
  await expect(edge.token().then((token) => join(url, token))).rejects.toThrow("node_draining");
  const { client: late } = await join(url, await edge.token({ room, sub: newUser() }));
  expect(await late.must("transport", { direction: "send" })).toHaveProperty("transportId");
  expect(await stays.client.must("transport", { direction: "send" })).toHaveProperty("transportId");
  registry.send({ type: "undrain", id: "2" });
  await registry.until("done", 1);
  await join(url, await edge.token());
  registry.send({ type: "drain", id: "3", deadlineMs: 0 });
  expect(await stays.client.until("closed")).toEqual({ reason: "draining" });
});

test("[SG6] an edge that does not know the secret gives no orders", async () => {
  const registry = await startRegistry({ proves: "something else that is long enough to be a secret" });
  const { url, edge, log } = await node(registry);
  await registry.until("register");
  const roomId = newRoom();
  const { client, ready } = await join(url, await edge.token({ room: roomId }));
  registry.send({ type: "kick", id: "1", roomId, userId: ready.peer.userId });
  registry.send("nonsense" as never);
  await eventually(() => expect(log.join()).toContain("does not understand"));
  expect(client.of("closed")).toEqual([]);
  expect(registry.received.some(({ type }) => type === "done")).toBe(false);
});
