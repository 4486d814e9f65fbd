import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { request } from "node:http";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { SFU_LIMITS } from "@lescopains/protocol/sfu/limits";
import { expect, test } from "vitest";
import { join } from "./kit/client.ts";
import { eventually } from "./kit/eventually.ts";
import { microphone, post } from "./kit/place.ts";
import { underFire } from "./kit/under-fire.ts";

const here = underFire();

test("[SX4] of a thousand joins at once from one address most are refused with a code; whoever comes from elsewhere comes in", async () => {
  const {
    sfu: { edge, url },
    newAddress,
    newcomer,
  } = here();
  const tokens = await Promise.all(Array.from({ length: 1_000 }, () => edge.token({ enc: false })));
  const headers = { "x-forwarded-for": newAddress() };
  const beganMs = performance.now();
  const flood = Promise.all(tokens.map((token) => post(url, "/sfu/join", token, undefined, headers)));
  expect((await newcomer()).ready.peers).toEqual([]);
  const answers = await flood;
  const seconds = (performance.now() - beganMs) / 1_000;
  const granted = answers.filter(([status]) => status === 200);
  expect(granted.length).toBeGreaterThan(0);
  expect(granted.length).toBeLessThanOrEqual(SFU_LIMITS.joinBurst + SFU_LIMITS.joinsPerSecond * seconds);
  const refused = answers.filter(([status]) => status === 429);
  expect(refused.length).toBe(answers.length - granted.length);
  expect(refused.every(([, { error }]) => error.code === "rate_limited" && error.retryAfterMs > 0)).toBe(true);
});

test("[SX5] one who asks for a thousand transports and producers gets four, then refusals, and is thrown out at last", async () => {
  const { gauge, newcomer } = here();
  const [open, producers] = [await gauge("transports"), await gauge("producers")];
  const { client } = await newcomer();
  const first = await client.must("transport", { direction: "send" });
  const codes: string[] = [];
  const ask = async (name: string, body: object): Promise<void> => {
    const answer = await client.askAnything(name, body);
    codes.push(answer.ok ? "ok" : answer.code);
  };
  const both = () => [ask("transport", { direction: "send" }), ask("produce", microphone(first.transportId))];
  await Promise.all(Array.from({ length: 8 }, both).flat());
  expect(codes.toSorted()).toEqual([
    ...Array.from({ length: 7 }, () => "conflict"),
    ...Array.from({ length: 5 }, () => "limit_reached"),
    // Three more transports, and one producer.
    ...Array.from({ length: 4 }, () => "ok"),
  ]);
  const asking = Array.from({ length: 500 }, both);
  const gone = Promise.allSettled(asking.flat());
  await eventually(() => expect(codes).toContain("rate_limited"));
  expect(await gauge("transports")).toBeLessThanOrEqual(open + SFU_LIMITS.transportsPerPeer);
  expect(await gauge("producers")).toBeLessThanOrEqual(producers + 1);
  expect(await client.until("closed")).toEqual({ reason: "flood" });
  expect(codes.filter((code) => code === "ok")).toHaveLength(4);
  client.socket.disconnect();
  await gone;
  expect(await gauge("transports")).toBe(open);
});

test("[SX6] 10 MB where 64 kB belong are refused, in one piece and in many, by HTTP and by socket", async () => {
  const {
    sfu: { edge, url },
    newAddress,
    newcomer,
  } = here();
  const token = await edge.token();
  await post(url, "/sfu/join", token, undefined, { "x-forwarded-for": newAddress() });
  const large = Buffer.alloc(10_000_000, "x");
  const send = (path: string, headers: object, body: Readable): Promise<number> =>
    new Promise((resolve) => {
      const req = request(`${url}${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, ...headers },
      });
      // A server that has answered may close while we still write.
      req.on("error", () => resolve(0));
      req.on("response", (response) => resolve(response.resume().statusCode ?? 0));
      body.on("error", () => undefined).pipe(req);
    });
  const pieces = () =>
    Readable.from(Array.from({ length: 1_000 }, (_, n) => large.subarray(n * 10_000, (n + 1) * 10_000)));
  expect([413, 0]).toContain(await send("/sfu/produce", { "content-length": large.length }, pieces()));
  expect([413, 0]).toContain(await send("/sfu/produce", {}, pieces()));
  // Nothing of it is read: the token has joined.
  expect([401, 0]).toContain(await send("/sfu/join", {}, pieces()));
  const { client } = await newcomer();
  client.socket.emit("produce", large);
  await client.closed;
  const polling = join(url, large.toString(), { address: newAddress(), transports: ["polling"] });
  await expect(polling).rejects.toThrow();
  expect((await post(url, "/sfu/state", token, {}))[0]).toBe(200);
});

test("[SX7] junk at the media port, on UDP and TCP, disturbs nobody", async () => {
  const { call, newcomer } = here();
  const { client } = await newcomer();
  const { iceParameters, iceCandidates } = await client.must("transport", { direction: "send" });
  const tcpPort = iceCandidates.find(({ protocol }) => protocol === "tcp")?.port ?? 0;
  const cookie = Buffer.from([0x21, 0x12, 0xa4, 0x42]);
  const username = Buffer.from(`${iceParameters.usernameFragment}:guess`);
  const attribute = Buffer.concat([Buffer.from([0, 6, 0, username.length]), username, Buffer.alloc(3)]);
  const junk = (n: number): Buffer => {
    const noise = randomBytes(n % 1_200);
    const stun = (length: number) =>
      Buffer.concat([Buffer.from([0, 1, length >> 8, length & 0xff]), cookie, randomBytes(12)]);
    switch (n % 6) {
      case 0:
        return noise;
      case 1:
        return Buffer.concat([stun(noise.length), noise]);
      // A check by whoever knows the user name and not the password.
      case 2:
        return Buffer.concat([stun(attribute.length - 3 + 3), attribute]);
      // DTLS, RTP and RTCP by their first bytes (RFC 7983).
      case 3:
        return Buffer.concat([Buffer.from([22, 254, 253]), noise]);
      case 4:
        return Buffer.concat([Buffer.from([0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0x04, 0x57]), noise]);
      default:
        return Buffer.concat([Buffer.from([0x81, 200, 0, 6, 0, 0, 0x04, 0x57]), noise]);
    }
  };
  const before = call.heard;
  const socket = createSocket("udp4");
  // As fast as a worker on a busy machine takes them: more than it takes is lost in the system's queue, with whatever else is in it.
  for (let n = 0; n < 4_000; n += 1) {
    socket.send(junk(n), call.port, "127.0.0.1");
    if (n % 20 === 0) await sleep(5);
  }
  const streams = Array.from({ length: 100 }, (_, n) => {
    const stream = connect(tcpPort, "127.0.0.1").on("error", () => undefined);
    stream.write(n % 2 === 0 ? randomBytes(5_000) : Buffer.concat([Buffer.from([0, 200]), junk(n)]));
    return stream;
  });
  await Promise.all(streams.map((stream) => new Promise((done) => stream.once("connect", done))));
  await eventually(() => expect(call.heard).toBeGreaterThan(before + 50));
  socket.close();
  for (const stream of streams) stream.destroy();
});

test("[SX8] an order to let someone hear nothing stops the packets to them, and its end lets them flow again", async () => {
  const { call, listener: joinId, registry, room: roomId } = here();
  registry.send({ type: "rights", id: "deaf", roomId, joinId, rights: ["speak"] });
  await eventually(() => expect(registry.received).toContainEqual({ type: "done", id: "deaf", found: true }));
  const silentAt = await eventually(async () => {
    const before = call.heard;
    await sleep(300);
    expect(call.heard).toBe(before);
    return before;
  });
  registry.send({ type: "rights", id: "hears", roomId, joinId, rights: ["speak", "listen"] });
  await eventually(() => expect(call.heard).toBeGreaterThan(silentAt + 10));
});
