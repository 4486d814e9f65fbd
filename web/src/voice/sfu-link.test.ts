import type { Snapshot } from "@lescopains/protocol/sfu/room";
import { expect, test } from "vitest";
import { FakeClock, settle } from "../sync/fakes.ts";
import { type LinkEnd, openSfuLink } from "./sfu-link.ts";
import type { SfuWireEvents } from "./sfu-wire.ts";

const id = "018f0000-0000-7000-8000-000000000001";
const snapshot = {
  nodeId: "local",
  peer: { peerId: id, userId: id, deviceId: 1, producers: [], dataProducers: [] },
  resumeKey: "key",
  rights: ["speak", "listen"],
  encrypted: true,
  rtpCapabilities: {},
  peers: [],
  transports: [],
  consumers: [],
  dataConsumers: [],
} as unknown as Snapshot;

function setting() {
  const clock = new FakeClock();
  const opened: object[] = [];
  const told: string[] = [];
  const ends: LinkEnd[] = [];
  const requests: string[] = [];
  let answer: unknown = { ok: true };
  let events: SfuWireEvents | undefined;
  const link = openSfuLink(
    {
      url: "",
      token: "token",
      clock,
      openWire: (_url, given) => {
        events = given;
        return {
          open: (auth) => opened.push(auth),
          close: () => undefined,
          async request(name) {
            requests.push(name);
            if (answer === undefined) throw new Error("no answer in time");
            return answer;
          },
        };
      },
    },
    {
      ready: () => told.push("ready"),
      away: () => told.push("away"),
      event: (name) => told.push(name),
      over: (end) => ends.push(end),
    },
  );
  return {
    clock,
    link,
    opened,
    told,
    ends,
    requests,
    answers: (next: unknown) => (answer = next),
    wire: () => events!,
  };
}

test("[VC71] a lost connection comes back to the same place, at once", async () => {
  const { clock, wire, opened, told, ends } = setting();
  wire().event("ready", snapshot);
  wire().lost();
  await clock.advance(0);
  wire().event("ready", snapshot);
  expect(opened).toEqual([{ token: "token" }, { token: "token", resumeKey: "key" }]);
  expect(told).toEqual(["ready", "away", "ready"]);
  expect(ends).toEqual([]);
});

test("[VC71] after as long as the node keeps a place, it is lost", async () => {
  const { clock, wire, ends } = setting();
  wire().event("ready", snapshot);
  wire().lost();
  for (let second = 0; second < 40 && ends.length === 0; second += 1) {
    await clock.advance(500);
    wire().lost();
  }
  expect(ends).toEqual([{ kind: "lost" }]);
});

test("[VC72] the node's last word ends it, and says why", async () => {
  const { clock, wire, ends, opened } = setting();
  wire().event("ready", snapshot);
  wire().event("closed", { reason: "kicked" });
  wire().lost();
  await clock.advance(60_000);
  expect(ends).toEqual([{ kind: "closed", reason: "kicked", channelId: undefined }]);
  expect(opened).toHaveLength(1);
});

test("[VC72] a token that is refused for good is not tried again", async () => {
  const { clock, wire, ends, opened } = setting();
  wire().refused({ code: "token_used", message: "" });
  await clock.advance(60_000);
  expect(ends[0]).toMatchObject({ kind: "refused", error: { code: "token_used" } });
  expect(opened).toHaveLength(1);
});

test("[VC73] what is not as the contract says reaches nobody; refusals are thrown with their code", async () => {
  const { link, wire, told, answers } = setting();
  wire().event("peer:joined", { peer: 7 });
  wire().event("nonsense", {});
  expect(told).toEqual([]);
  answers({ ok: false, error: { code: "forbidden", message: "no" } });
  await expect(link.request("producer:pause", { producerId: id })).rejects.toMatchObject({ code: "forbidden" });
  answers({ ok: true, transportId: 3 });
  await expect(link.request("transport", { direction: "send" })).rejects.toMatchObject({ code: "unavailable" });
  await settle();
});

test("[VC74] what was too much at once is asked again, one after the other, as the node's bucket fills", async () => {
  const { clock, link, answers, requests, wire } = setting();
  wire().event("ready", snapshot);
  answers({ ok: false, error: { code: "rate_limited", message: "", retryAfterMs: 100 } });
  const done: string[] = [];
  void link.request("producer:pause", { producerId: id }).then(() => done.push("first"));
  void link.request("producer:resume", { producerId: id }).then(() => done.push("second"));
  await settle();
  expect(requests).toEqual(["producer:pause", "producer:resume"]);
  await clock.advance(100);
  expect(requests.slice(2)).toEqual(["producer:pause"]);
  answers({ ok: true });
  await clock.advance(100);
  expect(done).toEqual(["first"]);
  await clock.advance(100);
  expect(done).toEqual(["first", "second"]);
  expect(requests).toHaveLength(5);
});

test("[VC71] a node that answers nothing on a connection that stands is connected to anew", async () => {
  const { clock, link, answers, wire, opened, told } = setting();
  wire().event("ready", snapshot);
  answers(undefined);
  await expect(link.request("leave", {})).rejects.toMatchObject({ code: "unavailable" });
  await clock.advance(0);
  expect(told).toEqual(["ready", "away"]);
  expect(opened).toHaveLength(2);
});
