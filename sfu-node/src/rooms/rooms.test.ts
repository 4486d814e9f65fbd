import { expect, test } from "vitest";
import { eventually } from "../../../tests/sfu/kit/eventually.ts";
import { join, type Joined } from "../../../tests/sfu/kit/client.ts";
import { newRoom, newUser } from "../../../tests/sfu/kit/edge.ts";
import { fakeNode } from "../../../tests/sfu/kit/node.ts";
import { opusParameters } from "../../../tests/sfu/kit/rtp-samples.ts";

async function microphone({ client }: Joined): Promise<string> {
  const { transportId } = await client.must("transport", { direction: "send" });
  const rtpParameters = opusParameters();
  return (await client.must("produce", { transportId, source: "audio", kind: "audio", rtpParameters })).producerId;
}

async function listen({ client, ready }: Joined, producerId: string): Promise<string> {
  const { rtpCapabilities } = ready;
  const { transportId } = await client.must("transport", { direction: "recv", rtpCapabilities });
  return (await client.must("consume", { transportId, producerId })).consumerId;
}

test("[SR1] rooms go to the least loaded worker", async () => {
  const { url, edge, engine } = await fakeNode();
  for (let n = 0; n < 4; n += 1) await join(url, await edge.token());
  expect(engine.workers.map(({ routers }) => routers.filter((one) => !one.closed).length)).toEqual([2, 2]);
});

test("[SR2] a room that is larger than a worker should hold goes on on the next, and its media is piped", async () => {
  const { url, edge, engine } = await fakeNode({ SFU_PEERS_PER_WORKER: "2" });
  const room = newRoom();
  const people = [];
  for (let n = 0; n < 5; n += 1) people.push(await join(url, await edge.token({ room })));
  const [first, , third, , fifth] = people as [Joined, Joined, Joined, Joined, Joined];
  expect(engine.workers.map(({ routers }) => routers.length)).toEqual([1, 1]);
  const producerId = await microphone(first);
  const far = await listen(third, producerId);
  await listen(fifth, producerId);
  await first.client.must("producer:close", { producerId });
  expect(await third.client.until("consumer:closed")).toEqual({ consumerId: far });
});

test("[SR3] a worker that dies closes its people's places: they are told, come back to a new one, and others go on", async () => {
  const { url, edge, engine } = await fakeNode({ SFU_PEERS_PER_WORKER: "1" });
  const room = newRoom();
  const unlucky = await join(url, await edge.token({ room }));
  const lucky = await join(url, await edge.token({ room }));
  engine.workers[0]?.die();
  expect(await unlucky.client.until("closed")).toEqual({ reason: "worker_died" });
  expect(await lucky.client.until("peer:left")).toEqual({ peerId: unlucky.ready.peer.peerId });
  await eventually(() => expect(engine.workers).toHaveLength(3));
  const again = await join(url, await edge.token({ room, sub: unlucky.ready.peer.userId }));
  expect(again.ready.peers.map(({ peerId }) => peerId)).toEqual([lucky.ready.peer.peerId]);
  await microphone(again);
  expect(await lucky.client.must("state", {})).toHaveProperty("peer");
});

test("[SR4] who is heard is told to all, by microphone only, once for each change, and to whoever comes later", async () => {
  const { url, edge, engine } = await fakeNode({ SFU_WORKERS: "1" });
  const room = newRoom();
  const speaker = await join(url, await edge.token({ room }));
  const listener = await join(url, await edge.token({ room }));
  const producerId = await microphone(speaker);
  const { transportId } = await speaker.client.must("transport", { direction: "send" });
  const screen = { transportId, source: "screen-audio", kind: "audio", rtpParameters: opusParameters(7, "9") } as const;
  const music = (await speaker.client.must("produce", screen)).producerId;
  const router = engine.workers[0]?.routers[0];
  router?.speak([
    { producerId, level: -31 },
    { producerId: music, level: -20 },
  ]);
  router?.speak([{ producerId, level: -30 }]);
  await listener.client.until("speakers", ({ speakers }) => speakers.length > 0);
  const late = await join(url, await edge.token({ room }));
  await late.client.until("speakers", ({ speakers }) => speakers.length > 0);
  router?.speak([]);
  await late.client.until("speakers", ({ speakers }) => speakers.length === 0);
  const { peerId } = speaker.ready.peer;
  const heard = [{ speakers: [{ peerId, level: -30 }] }, { speakers: [] }];
  expect(listener.client.of("speakers")).toEqual([{ speakers: [] }, ...heard]);
  expect(late.client.of("speakers")).toEqual(heard);
});

test("[SR5] a room that becomes encrypted is made anew; it never becomes plain again", async () => {
  const { url, edge } = await fakeNode();
  const room = newRoom();
  const plain = await join(url, await edge.token({ room, enc: false, did: null }));
  expect(plain.ready.encrypted).toBe(false);
  expect(plain.ready.rtpCapabilities.codecs?.some(({ mimeType }) => mimeType === "video/H264")).toBe(true);
  const encrypted = await join(url, await edge.token({ room }));
  expect(await plain.client.until("closed")).toEqual({ reason: "encrypted" });
  expect(encrypted.ready).toMatchObject({ encrypted: true, peers: [] });
  const old = await join(url, await edge.token({ room, enc: false }));
  expect(old.ready.encrypted).toBe(true);
});

test("[SR6] a room without people is gone, and so are its routers", async () => {
  const { url, edge, engine } = await fakeNode();
  const { client } = await join(url, await edge.token({ sub: newUser() }));
  await client.must("leave", {});
  await eventually(() =>
    expect(engine.workers.flatMap(({ routers }) => routers).every(({ closed }) => closed)).toBe(true),
  );
});

test("[SR7] two who come at the same moment meet in one room", async () => {
  const { url, edge, engine } = await fakeNode();
  const room = newRoom();
  const tokens = await Promise.all(Array.from({ length: 6 }, () => edge.token({ room })));
  const people = await Promise.all(tokens.map((token) => join(url, token)));
  expect(engine.workers.flatMap(({ routers }) => routers)).toHaveLength(1);
  expect((await (people[0] as Joined).client.must("state", {})).peers).toHaveLength(5);
});
