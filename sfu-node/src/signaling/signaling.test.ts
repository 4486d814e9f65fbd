import type { RtpCapabilities } from "@lescopains/protocol/sfu/media";
import { expect, test, vi } from "vitest";
import { eventually } from "../../../tests/sfu/kit/eventually.ts";
import { join, type Joined } from "../../../tests/sfu/kit/client.ts";
import { newRoom, newUser, startEdge } from "../../../tests/sfu/kit/edge.ts";
import { fakeNode } from "../../../tests/sfu/kit/node.ts";
import { camera, microphone, post, together, transports } from "../../../tests/sfu/kit/place.ts";
import { opusParameters, videoParameters } from "../../../tests/sfu/kit/rtp-samples.ts";

test("[SF1] a token joins its room: one sees the others, they see one come and go", async () => {
  const { people, url, edge, room } = await together(1);
  const [first] = people as [Joined];
  const second = await join(url, await edge.token({ room }), { transports: ["polling", "websocket"] });
  expect(second.ready).toMatchObject({ nodeId: "test-node", encrypted: true });
  expect(second.ready.rights).toEqual(["speak", "video", "screen", "listen"]);
  expect(second.ready.peers).toEqual([first.ready.peer]);
  expect((await first.client.until("peer:joined")).peer).toEqual(second.ready.peer);
  expect(await second.client.must("leave", {})).toEqual({});
  expect(await second.client.until("closed")).toEqual({ reason: "left" });
  expect(await first.client.until("peer:left")).toEqual({ peerId: second.ready.peer.peerId });
  await second.client.closed;
});

test("[SF2] forged, expired, replayed and other nodes' tokens are refused with their codes", async () => {
  const { url, edge } = await fakeNode();
  const forger = await startEdge();
  const now = Math.floor(Date.now() / 1_000);
  const used = await edge.token();
  await join(url, used);
  const cases: [string, string][] = [
    [await forger.token(), "unauthenticated"],
    [await edge.token({ aud: "another-node" }), "unauthenticated"],
    [await edge.token({ iat: now - 70, exp: now - 10 }), "token_expired"],
    [await edge.token({ exp: now + 3_600 }), "unauthenticated"],
    [await edge.token({}, { typ: "JWT" }), "unauthenticated"],
    [await edge.token({ did: null, enc: true }), "unauthenticated"],
    [used, "token_used"],
    ["rubbish", "unauthenticated"],
    ["eyJhbGciOiJub25lIn0.e30.", "unauthenticated"],
  ];
  for (const [token, code] of cases) {
    await expect(join(url, token), code).rejects.toThrow(code);
    expect((await post(url, "/sfu/join", token))[1].error.code).toBe(code);
  }
  await expect(join(url, undefined as unknown as string)).rejects.toThrow("unauthenticated");
});

test("[SF3] a lost socket has 15 s to take its place back, with the resume key and not without it", async () => {
  const { url, edge, engine, people, room } = await together(1);
  const [witness] = people as [Joined];
  const token = await edge.token({ room });
  const one = await join(url, token);
  const { send } = await transports(one);
  const { producerId } = await one.client.must("produce", microphone(send));
  one.client.socket.io.engine.close();
  await expect(join(url, token)).rejects.toThrow("token_used");
  await expect(join(url, token, { resumeKey: "guessed" })).rejects.toThrow("token_used");
  const again = await join(url, token, { resumeKey: one.ready.resumeKey });
  expect(again.ready.peer.peerId).toBe(one.ready.peer.peerId);
  expect(again.ready.peer.producers.map((sent) => sent.producerId)).toEqual([producerId]);
  expect(again.ready.transports.map(({ direction }) => direction)).toEqual(["send", "recv"]);
  await again.client.must("producer:pause", { producerId });
  expect(witness.client.of("peer:left")).toEqual([]);
  expect(engine.workers.flatMap(({ routers }) => routers).flatMap((r) => [...r.transports.values()])).toHaveLength(2);

  // A second socket takes over from one that is still open.
  const third = await join(url, token, { resumeKey: one.ready.resumeKey });
  await again.client.closed;
  expect(await third.client.must("state", {})).toMatchObject({ peer: { peerId: one.ready.peer.peerId } });
});

test("[SF4] nobody comes back in time: the place is gone, and so is what was open", async () => {
  const { people, engine } = await together(2);
  const [first, second] = people as [Joined, Joined];
  await transports(second);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    second.client.socket.io.engine.close();
    await eventually(() => {
      vi.advanceTimersByTime(15_000);
      expect(first.client.of("peer:left")).toHaveLength(1);
    });
  } finally {
    vi.useRealTimers();
  }
  expect([...(engine.workers[0]?.routers[0]?.transports.keys() ?? [])]).toEqual([]);
});

test("[SF5] the same device that joins again replaces itself; another device of the person does not", async () => {
  const { url, edge } = await fakeNode();
  const who = { room: newRoom(), sub: newUser() };
  const first = await join(url, await edge.token(who));
  const phone = await join(url, await edge.token({ ...who, did: 2 }));
  expect(phone.ready.peers).toHaveLength(1);
  const again = await join(url, await edge.token(who));
  expect(await first.client.until("closed")).toEqual({ reason: "replaced" });
  expect(again.ready.peers.map(({ peerId }) => peerId)).toEqual([phone.ready.peer.peerId]);
});

test("[SF5] of the same device's joins at the same moment one place remains", async () => {
  const { people, url, edge, room } = await together(1);
  const [witness] = people as [Joined];
  const who = { room, sub: newUser() };
  const tokens = await Promise.all(Array.from({ length: 4 }, () => edge.token(who)));
  await Promise.allSettled(tokens.map((token) => join(url, token)));
  expect((await witness.client.must("state", {})).peers).toHaveLength(1);
});

test("[SF6] what one sends, others may receive: paused at first, closed with its producer", async () => {
  const { people, engine } = await together(2);
  const [sender, receiver] = people as [Joined, Joined];
  const [from, to] = [await transports(sender), await transports(receiver)];
  const { producerId } = await sender.client.must("produce", camera(from.send));
  const added = await receiver.client.until("producer:added");
  expect(added).toEqual({
    peerId: sender.ready.peer.peerId,
    producer: { producerId, source: "camera", kind: "video", paused: false },
  });
  const got = await receiver.client.must("consume", { transportId: to.recv, producerId, layers: { spatialLayer: 0 } });
  expect(got).toMatchObject({ producerId, kind: "video", type: "simulcast", producerPaused: false });
  const { consumerId } = got;
  const state = () =>
    engine.workers
      .flatMap((w) => w.routers)
      .flatMap((r) => [...r.transports.values()])
      .flatMap((t) => [...t.consumers.values()])[0];
  expect(state()).toMatchObject({ paused: true, layers: { spatialLayer: 0 } });
  await receiver.client.must("consumer:resume", { consumerId });
  expect(await receiver.client.until("consumer:layers")).toEqual({ consumerId, layers: { spatialLayer: 0 } });
  await receiver.client.must("consumer:layers", { consumerId, spatialLayer: 2, temporalLayer: 1 });
  await receiver.client.must("consumer:priority", { consumerId, priority: 255 });
  await receiver.client.must("consumer:keyframe", { consumerId });
  expect(state()).toMatchObject({
    paused: false,
    layers: { spatialLayer: 2, temporalLayer: 1 },
    priority: 255,
    keyFrames: 1,
  });
  await receiver.client.must("consumer:pause", { consumerId });
  expect(state()?.paused).toBe(true);

  await sender.client.must("producer:pause", { producerId });
  expect(await receiver.client.until("producer:state")).toMatchObject({ producerId, paused: true });
  await sender.client.must("producer:close", { producerId });
  await receiver.client.until("producer:removed");
  expect(await receiver.client.until("consumer:closed")).toEqual({ consumerId });
  expect(await receiver.client.ask("consumer:resume", { consumerId })).toMatchObject({ code: "not_found" });
});

test("[SF7] a transport that closes takes what is on it along, and others are told", async () => {
  const { people } = await together(2);
  const [sender, receiver] = people as [Joined, Joined];
  const [from, to] = [await transports(sender), await transports(receiver)];
  const { producerId } = await sender.client.must("produce", microphone(from.send));
  const sctpStreamParameters = { streamId: 0, ordered: true };
  const data = { transportId: from.send, sctpStreamParameters, label: "events" };
  const { dataProducerId } = await sender.client.must("produce:data", data);
  await receiver.client.must("consume", { transportId: to.recv, producerId });
  const consumed = await receiver.client.must("consume:data", { transportId: to.recv, dataProducerId });
  expect(consumed.label).toBe("events");
  await sender.client.must("transport:close", { transportId: from.send });
  await receiver.client.until("producer:removed");
  await receiver.client.until("data:removed");
  await receiver.client.until("consumer:closed");
  expect(await receiver.client.until("data-consumer:closed")).toEqual({ dataConsumerId: consumed.dataConsumerId });
  expect(await sender.client.ask("produce", microphone(from.send))).toMatchObject({ code: "not_found" });
});

test("[SF8] nothing is sent without its right, nor twice, nor with codecs of another kind", async () => {
  const place = await fakeNode();
  const room = newRoom();
  const listener = await join(place.url, await place.edge.token({ room, rights: ["video"] }));
  const { send, recv } = await transports(listener);
  const ask = async (body: object) => {
    const answer = await listener.client.askAnything("produce", body);
    return answer.ok ? "ok" : answer.code;
  };
  expect(await ask(microphone(send))).toBe("forbidden");
  expect(await ask({ ...camera(send), source: "screen" })).toBe("forbidden");
  expect(await ask({ ...microphone(send), source: "screen-audio" })).toBe("forbidden");
  expect(await ask({ ...camera(send), rtpParameters: videoParameters("video/H264") })).toBe("codec_unsupported");
  expect(await ask({ ...camera(send), rtpParameters: opusParameters() })).toBe("invalid_request");
  expect(await ask({ ...camera(send), kind: "audio" })).toBe("invalid_request");
  expect(await ask({ ...camera(send), source: "hologram" })).toBe("invalid_request");
  expect(await ask(camera(recv))).toBe("invalid_request");
  expect(await ask(camera(send))).toBe("ok");
  expect(await ask(camera(send))).toBe("conflict");
});

test("[SF9] nobody reaches into another room, nor touches what is somebody else's", async () => {
  const { people, url, edge } = await together(2);
  const [sender, other] = people as [Joined, Joined];
  const stranger = await join(url, await edge.token());
  const from = await transports(sender);
  const [inside, outside] = [await transports(other), await transports(stranger)];
  const { producerId } = await sender.client.must("produce", microphone(from.send));
  expect(await stranger.client.ask("consume", { transportId: outside.recv, producerId })).toMatchObject({
    code: "not_found",
  });
  expect(await other.client.ask("consume", { transportId: from.recv, producerId })).toMatchObject({
    code: "not_found",
  });
  expect(await other.client.ask("producer:close", { producerId })).toMatchObject({ code: "not_found" });
  expect(await other.client.ask("transport:close", { transportId: from.send })).toMatchObject({ code: "not_found" });
  expect(await sender.client.ask("consume", { transportId: from.recv, producerId })).toMatchObject({
    code: "not_found",
  });
  const { consumerId } = await other.client.must("consume", { transportId: inside.recv, producerId });
  expect(await sender.client.ask("consumer:close", { consumerId })).toMatchObject({ code: "not_found" });
});

test("[SF10] malformed requests are refused with a code, and the socket goes on", async () => {
  const { people } = await together(1);
  const [{ client, ready }] = people as [Joined];
  const wrong: [string, unknown, string][] = [
    ["transport", { direction: "sideways" }, "invalid_request"],
    ["transport", { direction: "recv" }, "invalid_request"],
    ["transport", null, "invalid_request"],
    ["transport", [], "invalid_request"],
    [
      "transport",
      { direction: "recv", rtpCapabilities: { codecs: Array(200).fill(ready.rtpCapabilities.codecs?.[0]) } },
      "invalid_request",
    ],
    ["transport:connect", { transportId: "x", dtlsParameters: {} }, "invalid_request"],
    ["nonsense", {}, "unknown_event"],
    ["constructor", {}, "unknown_event"],
    ["__proto__", {}, "unknown_event"],
    ["state", undefined, "ok"],
  ];
  for (const [name, body, code] of wrong) {
    const answer = await client.askAnything(name, body);
    expect([name, answer.ok ? "ok" : answer.code]).toEqual([name, code]);
  }
  const capabilities: RtpCapabilities = {
    codecs: [{ kind: "audio", mimeType: "audio/opus", preferredPayloadType: 100, clockRate: 1 }],
  };
  expect(await client.ask("transport", { direction: "recv", rtpCapabilities: capabilities })).toMatchObject({
    ok: true,
  });
});
