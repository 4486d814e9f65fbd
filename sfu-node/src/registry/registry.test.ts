import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { JoinId } from "@lescopains/protocol/ids";
import type { RoomClaims } from "@lescopains/protocol/sfu/token";
import { jwtVerify } from "jose";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../../tests/sfu/kit/eventually.ts";
import { join } from "../../../tests/sfu/kit/client.ts";
import { newJoin, newRoom, newUser } from "../../../tests/sfu/kit/edge.ts";
import { fakeNode } from "../../../tests/sfu/kit/node.ts";
import { type Registry, secret, startRegistry } from "../../../tests/sfu/kit/registry.ts";
import { camera, microphone, transports } from "../../../tests/sfu/kit/place.ts";

const node = (registry: Registry) =>
  fakeNode({ SFU_REGISTRY_URL: registry.url, SFU_SECRET: secret, SFU_REGION: "home" });

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
  const { send } = await transports(person);
  const { producerId } = await person.client.must("produce", microphone(send));
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
  const [kicked, moved, phone, laptop] = [newJoin(), newJoin(), newJoin(), newJoin()];
  const sub = newUser();
  const joinAs = async (claims: Partial<RoomClaims>) => join(url, await edge.token({ room: roomId, ...claims }));
  const people = [
    await joinAs({ joinId: kicked }),
    await joinAs({ joinId: moved }),
    await joinAs({ joinId: phone, sub, did: 1 }),
    await joinAs({ joinId: laptop, sub, did: 2 }),
  ] as const;
  registry.send({ type: "kick", id: "1", roomId, joinId: kicked });
  expect(await people[0].client.until("closed")).toEqual({ reason: "kicked" });
  registry.send({ type: "move", id: "2", roomId, joinId: moved, channelId });
  expect(await people[1].client.until("closed")).toEqual({ reason: "moved", channelId });
  registry.send({ type: "kick", id: "3", roomId, joinId: laptop });
  expect(await people[3].client.until("closed")).toEqual({ reason: "kicked" });
  registry.send({ type: "kick", id: "4", roomId, joinId: newJoin() });
  expect(await registry.until("done", 3)).toEqual({ type: "done", id: "4", found: false });
  expect(people[2].client.of("closed")).toEqual([]);
  registry.send({ type: "close-room", id: "5", roomId });
  expect(await people[2].client.until("closed")).toEqual({ reason: "room_closed" });
  expect(await registry.until("done", 4)).toEqual({ type: "done", id: "5", found: true });
  expect(await registry.until("left", 3)).toMatchObject({ reason: "room_closed" });
});

test("[SF21] [SG3] a stay that was ended cannot be gone on with by a token that nobody had used, nor by one that is just being used", async () => {
  const registry = await startRegistry();
  const { url, edge, engine } = await node(registry);
  await registry.until("register");
  const roomId = newRoom();
  const tokenOf = (joinId: JoinId) => edge.token({ room: roomId, joinId });
  const [kicked, moved, late] = [newJoin(), newJoin(), newJoin()];
  const witness = await join(url, await tokenOf(newJoin()));
  await join(url, await tokenOf(kicked));
  const spare = await tokenOf(kicked);
  registry.send({ type: "kick", id: "1", roomId, joinId: kicked });
  registry.send({ type: "move", id: "2", roomId, joinId: moved, channelId: newRoom() });
  await registry.until("done", 1);
  await expect(join(url, spare)).rejects.toThrow("forbidden");
  await expect(join(url, await tokenOf(moved))).rejects.toThrow("forbidden");
  // Its token is good when it comes, and its room is being opened when the order does.
  const elsewhere = newRoom();
  const opening = engine.holdRouters();
  const joining = edge.token({ room: elsewhere, joinId: late }).then((token) => join(url, token));
  const refused = expect(joining).rejects.toThrow("forbidden");
  await opening.held;
  registry.send({ type: "kick", id: "3", roomId: elsewhere, joinId: late });
  await registry.until("done", 2);
  opening.release();
  await refused;
  expect(registry.received.filter(({ type }) => type === "joined")).toHaveLength(2);
  expect((await witness.client.must("state", {})).peers).toEqual([]);
});

test("[SF22] [SG3] a room that is closed for good takes nobody in any more, one that became encrypted nobody who calls it plain", async () => {
  const registry = await startRegistry();
  const { url, edge } = await node(registry);
  await registry.until("register");
  const [deleted, encrypted] = [newRoom(), newRoom()];
  const { client } = await join(url, await edge.token({ room: deleted }));
  const spares = [await edge.token({ room: deleted }), await edge.token({ room: encrypted, enc: false })] as const;
  registry.send({ type: "close-room", id: "1", roomId: deleted, voids: "all" });
  registry.send({ type: "close-room", id: "2", roomId: encrypted, voids: "plain" });
  await registry.until("done", 1);
  expect(await client.until("closed")).toEqual({ reason: "room_closed" });
  await expect(join(url, spares[0])).rejects.toThrow("forbidden");
  await expect(join(url, spares[1])).rejects.toThrow("token_expired");
  expect((await join(url, await edge.token({ room: encrypted }))).ready.encrypted).toBe(true);
});

test("[SG8] without the right to listen no sound is received, whatever is asked, until it is back; pictures are", async () => {
  const registry = await startRegistry();
  const { url, edge, engine } = await node(registry);
  await registry.until("register");
  const [roomId, joinId] = [newRoom(), newJoin()];
  const speaker = await join(url, await edge.token({ room: roomId }));
  const listener = await join(url, await edge.token({ room: roomId, joinId }));
  const [from, to] = [await transports(speaker), await transports(listener)];
  const sound = (await speaker.client.must("produce", microphone(from.send))).producerId;
  const picture = (await speaker.client.must("produce", camera(from.send))).producerId;
  const consume = (producerId: string) => listener.client.ask("consume", { transportId: to.recv, producerId });
  const [heard, seen] = [await consume(sound), await consume(picture)];
  if (!heard.ok || !seen.ok) throw new Error("both are received");
  const { consumerId } = heard.value;
  await listener.client.must("consumer:resume", { consumerId });
  await listener.client.must("consumer:resume", { consumerId: seen.value.consumerId });
  const paused = (producerId: string) =>
    engine.workers
      .flatMap(({ routers }) => routers.flatMap((router) => [...router.transports.values()]))
      .flatMap(({ consumers }) => [...consumers.values()])
      .filter((one) => one.producerId === producerId)
      .map((one) => one.paused);
  expect([paused(sound), paused(picture)]).toEqual([[false], [false]]);

  registry.send({ type: "rights", id: "1", roomId, joinId, rights: ["speak"] });
  await registry.until("done");
  expect(await listener.client.until("rights")).toEqual({ rights: ["speak"] });
  expect([paused(sound), paused(picture)]).toEqual([[true], [false]]);
  expect(await listener.client.ask("consumer:resume", { consumerId })).toMatchObject({ code: "forbidden" });
  expect(await consume(sound)).toMatchObject({ code: "forbidden" });
  expect(await consume(picture)).toMatchObject({ ok: true });
  expect((await listener.client.must("state", {})).consumers).toContainEqual({
    consumerId,
    producerId: sound,
    paused: true,
  });
  expect(paused(sound)).toEqual([true]);

  registry.send({ type: "rights", id: "2", roomId, joinId, rights: ["speak", "listen"] });
  await registry.until("done", 1);
  expect(paused(sound)).toEqual([false]);
  // What its owner had paused stays so.
  await listener.client.must("consumer:pause", { consumerId });
  registry.send({ type: "rights", id: "3", roomId, joinId, rights: [] });
  registry.send({ type: "rights", id: "4", roomId, joinId, rights: ["listen"] });
  await registry.until("done", 3);
  expect(paused(sound)).toEqual([true]);
  await listener.client.must("consumer:resume", { consumerId });
  expect(paused(sound)).toEqual([false]);
});

test("[SG4] rights change live: without one its source is paused, whatever its owner says, until it is back", async () => {
  const registry = await startRegistry();
  const { url, edge } = await node(registry);
  await registry.until("register");
  const [roomId, joinId] = [newRoom(), newJoin()];
  const [speaker, witness] = [
    await join(url, await edge.token({ room: roomId, joinId })),
    await join(url, await edge.token({ room: roomId })),
  ];
  const { send } = await transports(speaker);
  const { producerId } = await speaker.client.must("produce", microphone(send));
  registry.send({ type: "rights", id: "1", roomId, joinId, rights: ["video"] });
  expect(await speaker.client.until("rights")).toEqual({ rights: ["video"] });
  expect(await witness.client.until("producer:state")).toMatchObject({ producerId, paused: true });
  expect(await speaker.client.ask("producer:resume", { producerId })).toMatchObject({ code: "forbidden" });
  expect(await registry.until("sources", 1)).toMatchObject({ sources: [] });
  registry.send({ type: "rights", id: "2", roomId, joinId, rights: ["video", "speak"] });
  await witness.client.until("producer:state", ({ paused }) => !paused);
  await speaker.client.must("producer:pause", { producerId });
  registry.send({ type: "rights", id: "3", roomId, joinId, rights: [] });
  registry.send({ type: "rights", id: "4", roomId, joinId, rights: ["speak"] });
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
  // Said at once, and not with the next second's word.
  const before = registry.received.findIndex(({ type }) => type === "done") - 1;
  expect(registry.received[before]).toMatchObject({ type: "heartbeat", draining: true });
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

test("[SG5] a node that is to end does so, whatever the edge orders meanwhile", async () => {
  const registry = await startRegistry();
  const { url, edge, node: one } = await node(registry);
  await registry.until("register");
  const { client } = await join(url, await edge.token());
  const drained = one.drain(1_000);
  registry.send({ type: "undrain", id: "1" });
  await registry.until("done");
  await expect(edge.token().then((token) => join(url, token))).rejects.toThrow("node_draining");
  registry.send({ type: "drain", id: "2", deadlineMs: 3_600_000 });
  await registry.until("done", 1);
  expect(await client.until("closed")).toEqual({ reason: "draining" });
  await drained;
});

test("[SG9] a node that the edge does not take says so, once until it is taken", async () => {
  let tries = 0;
  const edge = createServer((_, response) => {
    tries += 1;
    response.writeHead(401).end();
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void edge.close());
  await once(edge, "listening");
  const { port } = edge.address() as AddressInfo;
  const { log } = await fakeNode({ SFU_REGISTRY_URL: `ws://127.0.0.1:${port}`, SFU_SECRET: secret });
  await eventually(() => expect(tries).toBeGreaterThan(2));
  expect(log.filter((line) => line.includes("the edge does not take this node"))).toHaveLength(1);
});

test("[SG6] an edge that does not know the secret gives no orders", async () => {
  const registry = await startRegistry({ proves: "something else that is long enough to be a secret" });
  const { url, edge, log } = await node(registry);
  await registry.until("register");
  const roomId = newRoom();
  const joinId = newJoin();
  const { client } = await join(url, await edge.token({ room: roomId, joinId }));
  registry.send({ type: "kick", id: "1", roomId, joinId });
  registry.send("nonsense" as never);
  await eventually(() => expect(log.join()).toContain("does not understand"));
  expect(client.of("closed")).toEqual([]);
  expect(registry.received.some(({ type }) => type === "done")).toBe(false);
});
