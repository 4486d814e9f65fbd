import type { Peer } from "@lescopains/protocol/sfu/room";
import type { VoiceJoined } from "@lescopains/protocol/voice";
import type { types } from "mediasoup-client";
import { FakeMediaStreamTrack } from "fake-mediastreamtrack";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FakeClock, FakePage, settle } from "../sync/fakes.ts";
import { deviceOfH264, fakeDevice, FakeNode } from "./fake-node.ts";
import type { FrameCrypto } from "./frames/frames.ts";
import { openMediaRoom } from "./media-room.ts";
import type { Sent } from "./sending.ts";

const camera = (): MediaStreamTrack => new FakeMediaStreamTrack({ kind: "video" });
const microphone = (): MediaStreamTrack => new FakeMediaStreamTrack({ kind: "audio" });
const on = (track: MediaStreamTrack): Sent => ({ track, paused: false });
const muted = (track: MediaStreamTrack): Sent => ({ track, paused: true });

/** A room on a node, which the test lets in. */
function enter(
  createDevice: () => Promise<types.Device> = () => fakeDevice(),
  node = new FakeNode(),
  clock = new FakeClock(),
) {
  const told: string[] = [];
  const room = openMediaRoom(
    {
      joined: { url: "", token: "token", iceServers: [], iceTransportPolicy: "all" } as unknown as VoiceJoined,
      crypto: { connectionOptions: {} } as FrameCrypto,
      stayOf: () => undefined,
      createDevice,
      openWire: node.openWire,
      clock,
      page: new FakePage(),
    },
    {
      here: () => told.push("here"),
      away: () => told.push("away"),
      over: ({ kind }) => told.push(`over ${kind}`),
      sendFailed: (source) => told.push(`failed ${source}`),
    },
  );
  return { room, node, clock, told };
}

async function inside() {
  const here = enter();
  here.node.accept();
  await settled();
  return here;
}

/** mediasoup-client's queue takes turns of its own. */
async function settled(): Promise<void> {
  for (let round = 0; round < 8; round += 1) await settle();
}

const sources = (node: FakeNode): string[] =>
  [...node.producers.values()].map(({ source, paused }) => (paused ? `${source}, paused` : source));

test("[VC65] who mutes while the microphone is being offered is silent from that moment on", async () => {
  const { room, node } = await inside();
  const track = microphone();
  node.hold();
  room.send("audio", on(track));
  await settled();
  room.send("audio", muted(track));
  expect(track.enabled).toBe(false);
  node.release();
  await settled();
  expect(sources(node)).toEqual(["audio, paused"]);
  expect(track.enabled).toBe(false);
});

test("[VC65] who mutes and unmutes while answers are on their way is heard as they wished last", async () => {
  const { room, node } = await inside();
  const track = microphone();
  node.hold();
  room.send("audio", on(track));
  await settled();
  room.send("audio", muted(track));
  room.send("audio", on(track));
  node.release();
  await settled();
  expect(track.enabled).toBe(true);
  expect(sources(node)).toEqual(["audio"]);

  room.send("audio", muted(track));
  await settled();
  node.hold();
  room.send("audio", on(track));
  await settled();
  room.send("audio", muted(track));
  const opened: boolean[] = [];
  track.addEventListener("enabledchange", () => opened.push(track.enabled));
  node.release();
  await settled();
  expect(opened).toEqual([]);
  expect(track.enabled).toBe(false);
  expect(sources(node)).toEqual(["audio, paused"]);
});

test("[VC65] who was muted in one room and unmutes on the way to the next is heard there", async () => {
  const { room, node } = await inside();
  const track = microphone();
  room.send("audio", muted(track));
  await settled();
  expect(sources(node)).toEqual(["audio, paused"]);
  room.close();
  const next = await inside();
  next.room.send("audio", on(track));
  await settled();
  expect(sources(next.node)).toEqual(["audio"]);
  expect(track.enabled).toBe(true);
});

test("[VC63] a camera that is off before the node has it is off there too", async () => {
  const { room, node, told } = await inside();
  node.hold();
  room.send("camera", on(camera()));
  await settled();
  room.send("camera", undefined);
  node.release();
  await settled();
  expect(sources(node)).toEqual([]);
  expect(told).toEqual(["here"]);
});

test("[VC66] a camera that is refused when it is off already takes the one after it not along", async () => {
  const { room, node, told } = await inside();
  room.send("audio", on(microphone()));
  await settled();
  node.hold();
  node.refusal = { code: "invalid_request", message: "" };
  room.send("camera", on(camera()));
  await settled();
  node.refusal = undefined;
  room.send("camera", undefined);
  room.send("camera", on(camera()));
  node.release();
  await settled();
  expect(sources(node)).toEqual(["audio", "camera"]);
  expect(told).toEqual(["here"]);
});

test("[VC66] what is refused is told, and can be wished for again", async () => {
  const { room, node, told } = await inside();
  node.refusal = { code: "forbidden", message: "" };
  const track = camera();
  room.send("camera", on(track));
  await settled();
  expect(told).toEqual(["here", "failed camera"]);
  node.refusal = undefined;
  room.send("camera", on(track));
  await settled();
  expect(sources(node)).toEqual(["camera"]);
});

test("[VC66] a browser that can encode a picture only as cannot be encrypted sends none, and says so", async () => {
  const { room, node, told } = enter(deviceOfH264);
  node.accept();
  await settled();
  room.send("camera", on(camera()));
  room.send("audio", on(microphone()));
  await settled();
  expect(sources(node)).toEqual(["audio"]);
  expect(told).toEqual(["here", "failed camera"]);
});

test("[VC67] who comes in without the right to speak is heard once they have it", async () => {
  const { room, node, told } = enter();
  node.rights = ["video", "listen"];
  node.accept();
  await settled();
  room.send("audio", on(microphone()));
  await settled();
  expect([sources(node), told]).toEqual([[], ["here", "failed audio"]]);
  node.give(["speak", "video", "listen"]);
  await settled();
  expect(sources(node)).toEqual(["audio"]);
});

test("[VC67] who unmutes while they may not speak is heard once they may again", async () => {
  const { room, node, told } = await inside();
  const track = microphone();
  room.send("audio", muted(track));
  await settled();
  node.give([]);
  room.send("audio", on(track));
  await settled();
  expect(sources(node)).toEqual(["audio, paused"]);
  node.give(["speak"]);
  await settled();
  expect([sources(node), told]).toEqual([["audio"], ["here", "failed audio"]]);
});

test("[VC67] who mutes while they may not speak is muted once they may again", async () => {
  const { room, node } = await inside();
  const track = microphone();
  room.send("audio", on(track));
  await settled();
  node.give([]);
  room.send("audio", muted(track));
  await settled();
  node.give(["speak"]);
  await settled();
  expect(sources(node)).toEqual(["audio, paused"]);
  expect(track.enabled).toBe(false);
});

test("[VC66] a camera without the right for it is told, and taken back", async () => {
  const { room, node, told } = await inside();
  node.give(["speak"]);
  room.send("camera", on(camera()));
  await settled();
  expect(told).toEqual(["here", "failed camera"]);
  node.give(["speak", "video"]);
  await settled();
  expect(sources(node)).toEqual([]);
});

test("[VC63] a connection that breaks while a camera starts leaves one camera, not two and not none", async () => {
  const { room, node, clock, told } = await inside();
  // A path is there: who has none begins anew.
  room.send("audio", on(microphone()));
  await settled();
  node.hold();
  room.send("camera", on(camera()));
  await settled();
  expect(sources(node)).toEqual(["audio", "camera"]);
  node.cut();
  await clock.advance(0);
  node.accept();
  await settled();
  expect(sources(node)).toEqual(["audio", "camera"]);
  expect(told).toEqual(["here", "away", "here"]);
});

test("[VC63] whatever is wished, answered, lost and refused, in the end the node has what is wished", async () => {
  const step = fc.constantFrom("on", "muted", "off", "other", "hold", "release", "cut", "settle");
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const { room, node, clock, told } = await inside();
      room.send("screen", on(camera()));
      await settled();
      let track = microphone();
      let wish: Sent | undefined;
      for (const next of steps) {
        if (next === "hold") node.hold();
        else if (next === "release") node.release();
        else if (next === "settle") await settled();
        else if (next === "cut") {
          node.cut();
          await clock.advance(0);
          node.accept();
        } else {
          if (next === "other") track = microphone();
          wish = next === "off" ? undefined : next === "muted" ? muted(track) : on(track);
          room.send("audio", wish);
        }
      }
      node.release();
      await settled();
      const voice = wish === undefined ? [] : [wish.paused ? "audio, paused" : "audio"];
      expect(sources(node).toSorted()).toEqual([...voice, "screen"].toSorted());
      if (wish !== undefined) expect(wish.track.enabled).toBe(!wish.paused);
      expect(told.filter((one) => one.startsWith("over") || one.startsWith("failed"))).toEqual([]);
      room.close();
    }),
    { numRuns: 150 },
  );
});

test("[VC23] who leaves while the browser gets ready asks the node for nothing", async () => {
  let ready: (() => void) | undefined;
  const { room, node, told } = enter(() => new Promise((resolve) => (ready = () => resolve(fakeDevice()))));
  node.accept();
  room.send("camera", on(camera()));
  room.leave();
  ready?.();
  await settled();
  expect(node.asked).toEqual(["leave"]);
  expect([node.transports.size, told]).toEqual([0, []]);
});

test("[VC23] who leaves while the node makes paths sends nothing", async () => {
  const { room, node, told } = enter();
  node.hold();
  node.accept();
  await settled();
  expect(node.asked).toEqual(["transport", "transport"]);
  room.send("camera", on(camera()));
  room.leave();
  node.release();
  await settled();
  expect(node.asked).toEqual(["transport", "transport", "leave"]);
  expect(told).toEqual([]);
});

test("[VC64] a connection that breaks while paths are made is set up anew, and nothing is left of the first attempt", async () => {
  const { room, node, clock, told } = enter();
  node.hold();
  node.accept();
  await settled();
  node.cut();
  await clock.advance(0);
  node.accept();
  await settled();
  expect(told).toEqual(["away", "here"]);
  expect([...node.transports.values()]).toEqual(["send", "recv"]);
  room.send("audio", on(microphone()));
  await settled();
  expect(sources(node)).toEqual(["audio"]);
});

test("[VC15] a path of which nobody knows whether the node knows it is begun anew", async () => {
  const { room, node, clock, told } = await inside();
  node.hold();
  room.send("audio", on(microphone()));
  await settled();
  expect(node.asked.at(-1)).toBe("transport:connect");
  node.cut();
  await clock.advance(0);
  await settled();
  expect(told).toEqual(["here", "away", "over dead"]);
});

test("[VC64] what somebody stopped sending while one's media was set up is not received", async () => {
  const { room, node } = enter();
  const producers = [{ producerId: crypto.randomUUID(), source: "camera", kind: "video", paused: false }];
  const leo = { peerId: crypto.randomUUID(), userId: crypto.randomUUID(), deviceId: 1, producers, dataProducers: [] };
  node.peers = [leo as unknown as Peer];
  node.hold();
  node.accept();
  await settled();
  node.tell("producer:removed", { peerId: leo.peerId, producerId: producers[0]?.producerId });
  node.release();
  await settled();
  expect(room.remotes.value.size).toBe(0);
});
