import { randomUUID } from "node:crypto";
import { ERRORS } from "@lescopains/protocol/errors";
import type { RtpCapabilities } from "@lescopains/protocol/sfu/media";
import { SFU_REQUESTS, type SfuRequest } from "@lescopains/protocol/sfu/requests";
import fc from "fast-check";
import { SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { bodies } from "../fuzz/mutations.ts";
import { validFor } from "../fuzz/valid-values.ts";
import { join } from "./kit/client.ts";
import { newRoom, startEdge } from "./kit/edge.ts";
import { eventually } from "./kit/eventually.ts";
import { camera, microphone, post, transports } from "./kit/place.ts";
import { opusParameters, svcParameters, videoParameters } from "./kit/rtp-samples.ts";
import { openMedia, type SpokenCall, startSpokenCall } from "./kit/spoken-call.ts";
import { underFire } from "./kit/under-fire.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_126);
const here = underFire();
/** Of a hundred packets twenty do not get here. */
let lossy: SpokenCall;
const ends: (() => Promise<void> | void)[] = [];
beforeAll(async () => {
  const { url, edge } = here().sfu;
  const room = newRoom();
  const tokens = { speaker: await edge.token({ room }), listener: await edge.token({ room }) };
  lossy = await startSpokenCall(url, tokens, (end) => ends.unshift(end));
  lossy.omitPercent = 20;
});
afterAll(async () => {
  for (const end of ends) await end();
});

test("[SX1] tokens that are not of this edge, for this node, for now, for once are refused, by socket and HTTP alike", async () => {
  const {
    sfu: { edge, url },
    call,
    room,
    newAddress,
  } = here();
  const [forger, now] = [await startEdge(), Math.floor(Date.now() / 1_000)];
  const used = await edge.token();
  await join(url, used, { address: newAddress() });
  const good = await edge.token();
  const [header = "", payload = "", signature = ""] = good.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Record<string, unknown>;
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const changed = (more: object): string => `${header}.${encode({ ...claims, ...more })}.${signature}`;
  const [{ x = "" } = {}] = edge.keys.keys;
  // The public key, taken for a shared secret.
  const confused = new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "one", typ: "room+jwt" });
  const wrong: Record<string, [token: string, code: string]> = {
    "another key of the same name": [await forger.token(), "unauthenticated"],
    "no signature": [`${header}.${payload}.`, "unauthenticated"],
    "alg none": [new UnsecuredJWT(claims).encode(), "unauthenticated"],
    "alg HS256": [await confused.sign(Buffer.from(x, "base64url")), "unauthenticated"],
    "another room": [changed({ room }), "unauthenticated"],
    "more rights": [changed({ rights: ["speak", "video", "screen", "listen"], sub: randomUUID() }), "unauthenticated"],
    "another node": [await edge.token({ aud: "another-node" }), "unauthenticated"],
    "another type": [await edge.token({}, { typ: "JWT" }), "unauthenticated"],
    "no device in an encrypted room": [await edge.token({ did: null }), "unauthenticated"],
    "no such right": [await edge.token({ rights: ["everything" as never] }), "unauthenticated"],
    "no room": [await edge.token({ room: "salon" as never }), "unauthenticated"],
    "for a day": [await edge.token({ exp: now + 86_400 }), "unauthenticated"],
    "from the future": [await edge.token({ iat: now + 600, exp: now + 660 }), "unauthenticated"],
    expired: [await edge.token({ iat: now - 70, exp: now - 10 }), "token_expired"],
    replayed: [used, "token_used"],
    rubbish: ["rubbish", "unauthenticated"],
    "too long": [`${good}${"A".repeat(3_000)}`, "unauthenticated"],
  };
  for (const [how, [token, code]] of Object.entries(wrong)) {
    const address = newAddress();
    await expect(join(url, token, { address }), how).rejects.toThrow(code);
    const [status, body] = await post(url, "/sfu/join", token, undefined, { "x-forwarded-for": address });
    expect([how, status, body.error.code]).toEqual([how, 401, code]);
  }
  expect(call.listener.client.of("peer:joined")).toEqual([]);
});

test("[SX2] nothing is sent without its right, received from another room, or touched that is somebody else's", async () => {
  const {
    sfu: { edge, url },
    call,
    room,
    newAddress,
    newcomer,
  } = here();
  const stranger = await newcomer({ rights: ["video"] });
  const { send, recv } = await transports(stranger);
  const ask = async (name: string, body: object) => {
    const answer = await stranger.client.askAnything(name, body);
    return answer.ok ? "ok" : answer.code;
  };
  expect(await ask("produce", microphone(send))).toBe("forbidden");
  expect(await ask("produce", { ...camera(send), source: "screen" })).toBe("forbidden");
  expect(await ask("produce", camera(send))).toBe("ok");
  const { producerId, consumerId } = call;
  expect(await ask("consume", { transportId: recv, producerId })).toBe("not_found");
  const listens = await newcomer();
  const to = await transports(listens);
  expect(await listens.client.ask("consume", { transportId: to.recv, producerId })).toMatchObject({
    code: "not_found",
  });
  for (const [name, body] of [
    ["producer:pause", { producerId }],
    ["producer:close", { producerId }],
    ["consumer:pause", { consumerId }],
    ["consumer:close", { consumerId }],
  ] as const) {
    expect(await ask(name, body)).toBe("not_found");
  }
  // Over HTTP, with the token of a place that a socket holds.
  const token = await edge.token({ room });
  await join(url, token, { address: newAddress() });
  expect((await post(url, "/sfu/consume", token, { transportId: to.recv, producerId }))[0]).toBe(401);
});

describe("[SX3] whatever stands in a request, it is granted or refused with a code, and the worker goes on:", () => {
  const [send, recv, nobody] = [randomUUID(), randomUUID(), randomUUID()];
  const samples = { transportId: [send, recv, nobody], producerId: [nobody], consumerId: [nobody] };
  const capabilities = fc.constantFrom<RtpCapabilities>({ codecs: [] }, {}, opusCapabilities(), opusCapabilities(1));
  const parameters = fc.constantFrom(
    opusParameters(),
    opusParameters(0, "m"),
    videoParameters(),
    videoParameters("video/VP9"),
    svcParameters(),
  );
  /** What a browser would send, more often than what only the schema allows. */
  const sensible: Partial<Record<SfuRequest, fc.Arbitrary<unknown>>> = {
    transport: capabilities.map((rtpCapabilities) => ({ direction: "recv", rtpCapabilities })),
    produce: fc.tuple(parameters, fc.constantFrom("audio", "camera", "screen")).map(([rtpParameters, source]) => ({
      transportId: send,
      source,
      kind: source === "audio" ? "audio" : "video",
      rtpParameters,
    })),
    "transport:connect": fc
      .constantFrom("sha-1", "sha-224", "sha-256", "sha-384", "sha-512")
      .chain((algorithm) =>
        fc.integer({ min: 19, max: 63 }).map((more) => ({ algorithm, value: `AB${":CD".repeat(more)}` })),
      )
      .map((fingerprint) => ({ transportId: send, dtlsParameters: { role: "client", fingerprints: [fingerprint] } })),
  };
  const perPeer = 12;

  test.each(["transport", "transport:connect", "produce", "consume", "produce:data", "consume:data"] as const)(
    "%s",
    async (name) => {
      const {
        sfu: { edge, url },
        newAddress,
      } = here();
      const path = `/sfu/${name.replaceAll(":", "/")}`;
      const valid = validFor(SFU_REQUESTS[name].body, samples);
      const texts = bodies(
        fc.oneof({ weight: 2, arbitrary: sensible[name] ?? valid }, { weight: 1, arbitrary: valid }),
      );
      const codes = new Map<string, number>();
      for (const given of Array.from({ length: 6 }, (_, n) => fc.sample(texts, { seed: SEED + n, numRuns: perPeer }))) {
        const token = await edge.token();
        await post(url, "/sfu/join", token, undefined, { "x-forwarded-for": newAddress() });
        const [, sending] = await post(url, "/sfu/transport", token, { direction: "send" });
        const rtpCapabilities = opusCapabilities();
        const [, receiving] = await post(url, "/sfu/transport", token, { direction: "recv", rtpCapabilities });
        for (const text of given) {
          const body = String(text).replaceAll(send, sending.transportId).replaceAll(recv, receiving.transportId);
          const [status, answer] = await post(url, path, token, body === "" ? "{}" : body);
          const code = status === 200 ? "ok" : answer.error.code;
          expect(Object.keys({ ...ERRORS, ok: 200 }), `${name} ${body.slice(0, 500)}`).toContain(code);
          expect(["internal", "unavailable", "rate_limited"], `${name} ${body.slice(0, 500)}`).not.toContain(code);
          codes.set(code, (codes.get(code) ?? 0) + 1);
          if (answer.producerId !== undefined) await post(url, "/sfu/producer/close", token, answer);
          if (name === "transport" && status === 200) await post(url, "/sfu/transport/close", token, answer);
        }
        await post(url, "/sfu/leave", token, {});
      }
      // Both sides of the line were walked on.
      expect(codes.size, JSON.stringify([...codes])).toBeGreaterThan(1);
    },
  );
});

function opusCapabilities(channels = 2): RtpCapabilities {
  const preferred = { kind: "audio", mimeType: "audio/opus", preferredPayloadType: 100, clockRate: 48_000 } as const;
  return { codecs: [{ ...preferred, channels }] };
}

test("[SX3] whoever comes to a transport with another certificate than was announced is not let in", async () => {
  const person = await here().newcomer();
  const media = await openMedia(person, await person.client.must("transport", { direction: "send" }));
  onTestFinished(() => media.end.close());
  const fingerprints = [{ algorithm: "sha-256", value: `AB${":CD".repeat(31)}` }] as const;
  const { transportId } = media;
  const dtlsParameters = { role: "client" as const, fingerprints: [...fingerprints] };
  await person.client.must("transport:connect", { transportId, dtlsParameters });
  media.reach().catch(() => undefined);
  expect(await person.client.until("transport:failed")).toEqual({ transportId });
});

test("[SX9] what `/metrics` says of calls is what goes on in them", async () => {
  const { call, gauge } = here();
  const { client } = await here().newcomer();
  await client.must("leave", {});
  // Two calls of two, and what other tests have left behind for a while.
  for (const [name, least] of Object.entries({ rooms: 2, peers: 4, transports: 4, producers: 2, consumers: 2 }))
    expect(await gauge(name), name).toBeGreaterThanOrEqual(least);
  const { consumerId } = call;
  const flowing = await gauge("consumers_active");
  await call.listener.client.must("consumer:pause", { consumerId });
  expect(await gauge("consumers_active")).toBe(flowing - 1);
  await call.listener.client.must("consumer:resume", { consumerId });
  expect(await gauge("left_total")).toBeGreaterThan(0);
  // Each speaks at 50 packets of 80 bytes a second, and a little around them.
  await eventually(async () => expect(await gauge("bitrate_in")).toBeGreaterThan(40_000));
  await eventually(async () => expect(await gauge("bitrate_out")).toBeGreaterThan(40_000));
  await eventually(async () => expect(await gauge("worker_cpu")).toBeGreaterThan(0));
  await eventually(async () => expect(await gauge("round_trip_ms")).toBeGreaterThan(0));
  // The mean of a call without losses and one with.
  for (const name of ["loss_in", "loss_out"]) {
    await eventually(async () => {
      expect(await gauge(name)).toBeGreaterThan(0.05);
      expect(await gauge(name)).toBeLessThan(0.2);
    });
  }
  expect(lossy.lost).toBeGreaterThan(0);
});
