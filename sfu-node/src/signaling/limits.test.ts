import { SFU_LIMITS } from "@lescopains/protocol/sfu/limits";
import type { RoomClaims } from "@lescopains/protocol/sfu/token";
import { expect, test } from "vitest";
import { join, type Joined } from "../../../tests/sfu/kit/client.ts";
import { eventually } from "../../../tests/sfu/kit/eventually.ts";
import { newRoom, newUser } from "../../../tests/sfu/kit/edge.ts";
import { fakeNode } from "../../../tests/sfu/kit/node.ts";
import { post, together } from "../../../tests/sfu/kit/place.ts";

test("[SF11] a frame above 64 KiB ends the connection, and only that one", async () => {
  const { people } = await together(2);
  const [loud, calm] = people as [Joined, Joined];
  loud.client.socket.emit("state", "x".repeat(SFU_LIMITS.requestBytes));
  await loud.client.closed;
  expect(await calm.client.must("state", {})).toMatchObject({ peer: calm.ready.peer });
});

test("[SF12] transports are limited, and a flood of requests is refused and at last thrown out; others go on", async () => {
  const { people } = await together(2);
  const [flooder, calm] = people as [Joined, Joined];
  const first = await Promise.all(
    Array.from({ length: 8 }, () => flooder.client.ask("transport", { direction: "send" })),
  );
  expect(first.filter(({ ok }) => ok)).toHaveLength(SFU_LIMITS.transportsPerPeer);
  expect(first.filter((one) => !one.ok && one.code === "limit_reached")).toHaveLength(8 - SFU_LIMITS.transportsPerPeer);
  const flood = await Promise.all(
    Array.from({ length: 50 }, () => flooder.client.ask("transport", { direction: "send" })),
  );
  const refused = flood.find((one) => !one.ok && one.code === "rate_limited");
  expect(refused).toMatchObject({ retryAfterMs: expect.any(Number) });
  for (let n = 0; n < 1_000; n += 1) flooder.client.socket.emit("state", {});
  expect(await flooder.client.until("closed")).toEqual({ reason: "flood" });
  expect(await calm.client.must("transport", { direction: "send" })).toHaveProperty("transportId");
});

test("[SF13] joins from one address, and with one token, are limited; those in rooms go on", async () => {
  const { people, url, edge } = await together(1);
  const [calm] = people as [Joined];
  const one = await edge.token({ aud: "another-node" });
  const codes = await Promise.all(Array.from({ length: 8 }, () => post(url, "/sfu/join", one)));
  expect(codes.filter(([status]) => status === 401)).toHaveLength(SFU_LIMITS.attemptsPerToken);
  const beganMs = performance.now();
  const many = await Promise.all(Array.from({ length: 200 }, (_, n) => post(url, "/sfu/join", `forged-${n}`)));
  const limited = many.filter(([, body]) => body.error.code === "rate_limited");
  const seconds = (performance.now() - beganMs) / 1_000;
  const allowed = SFU_LIMITS.joinBurst + SFU_LIMITS.joinsPerSecond * seconds;
  expect(many.length - limited.length).toBeLessThanOrEqual(allowed);
  expect(limited.every(([status, body]) => status === 429 && body.error.retryAfterMs > 0)).toBe(true);
  expect(await calm.client.must("transport", { direction: "send" })).toHaveProperty("transportId");
});

test("[SF13] who takes their place back again and again is slowed down, and keeps it", async () => {
  const { url, edge } = await fakeNode();
  const token = await edge.token();
  const { ready } = await join(url, token);
  const back = () => join(url, token, { resumeKey: ready.resumeKey });
  await expect(Promise.all(Array.from({ length: 40 }, back))).rejects.toThrow("rate_limited");
  const again = await eventually(back);
  expect(again.ready.peer.peerId).toBe(ready.peer.peerId);
});

test("[SF16] a room takes no more than its limit; who is in it may come back", async () => {
  const { url, edge } = await fakeNode();
  const room = newRoom();
  const joinFrom = async (address: string, claims: Partial<RoomClaims>) =>
    post(url, "/sfu/join", await edge.token({ room, ...claims }), undefined, { "x-forwarded-for": address });
  const last = { sub: newUser() };
  for (let n = 1; n < SFU_LIMITS.peersPerRoom; n += 1) await joinFrom(`192.0.2.${n}`, {});
  expect((await joinFrom("192.0.2.100", last))[1].peers).toHaveLength(SFU_LIMITS.peersPerRoom - 1);
  expect(await joinFrom("192.0.2.101", {})).toMatchObject([409, { error: { code: "room_full" } }]);
  expect((await joinFrom("192.0.2.100", last))[1].peers).toHaveLength(SFU_LIMITS.peersPerRoom - 1);
});

test("[SF23] who sends more than anybody needs, as congestion control did not tell them to, is thrown out; others go on", async () => {
  const { people, engine } = await together(2);
  const [flooder, calm] = people as [Joined, Joined];
  const { transportId } = await flooder.client.must("transport", { direction: "send" });
  await calm.client.must("transport", { direction: "send" });
  const all = engine.workers.flatMap(({ routers }) => routers).flatMap((router) => [...router.transports.values()]);
  for (const one of all) one.bitrateIn = one.id === transportId ? SFU_LIMITS.floodBitrate + 1 : SFU_LIMITS.floodBitrate;
  expect(await flooder.client.until("closed")).toEqual({ reason: "flood" });
  expect(await calm.client.until("peer:left")).toEqual({ peerId: flooder.ready.peer.peerId });
  expect(await calm.client.must("state", {})).toMatchObject({ peers: [] });
});
