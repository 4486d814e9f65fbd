import type { Peer, Snapshot } from "@lescopains/protocol/sfu/room";
import type { VoiceJoined } from "@lescopains/protocol/voice";
import type { types } from "mediasoup-client";
import { expect, test } from "vitest";
import { FakeClock, FakePage, settle } from "../sync/fakes.ts";
import type { FrameCrypto } from "./frames/frames.ts";
import { openMediaRoom } from "./media-room.ts";
import type { SfuWireEvents } from "./sfu-wire.ts";

const id = (last: number): string => `018f0000-0000-7000-8000-00000000000${last}`;
const [two, three, gone, four] = [id(5), id(6), id(7), id(8)];
const transports = ["018f0000-0000-7000-8000-0000000000aa", "018f0000-0000-7000-8000-0000000000bb"];
const peer = (last: number, producers: readonly string[]): Peer =>
  ({
    peerId: id(last),
    userId: id(last),
    deviceId: 1,
    producers: producers.map((producerId) => ({ producerId, source: "audio", kind: "audio", paused: false })),
    dataProducers: [],
  }) as unknown as Peer;
const snapshot = (peers: readonly Peer[]): Snapshot =>
  ({
    nodeId: "local",
    peer: peer(1, []),
    resumeKey: "key",
    rights: ["speak", "listen"],
    encrypted: true,
    rtpCapabilities: {},
    peers,
    transports: transports.map((transportId) => ({ transportId, direction: "send" })),
    consumers: [],
    dataConsumers: [],
  }) as unknown as Snapshot;

/** A room whose browser takes as long to be ready as the test likes. */
function setting(stay?: string) {
  const clock = new FakeClock();
  let events: SfuWireEvents | undefined;
  const asked: string[] = [];
  let made = 0;
  let finish: (() => void) | undefined;
  const transport = ({ id: transportId }: { readonly id: string }) => ({
    id: transportId,
    closed: false,
    on: () => undefined,
    close: () => undefined,
  });
  const device = {
    load: async () => undefined,
    recvRtpCapabilities: {},
    createSendTransport: transport,
    createRecvTransport: transport,
  } as unknown as types.Device;
  const room = openMediaRoom(
    {
      joined: { url: "", token: "token", iceServers: [], iceTransportPolicy: "all" } as unknown as VoiceJoined,
      crypto: { connectionOptions: {} } as FrameCrypto,
      stayOf: () => stay,
      createDevice: () =>
        new Promise((resolve) => {
          finish = () => resolve(device);
        }),
      openWire: (_url, given) => {
        events = given;
        return {
          open: () => undefined,
          close: () => undefined,
          request: async (name) => ({
            ...(asked.push(name), { ok: true }),
            transportId: name === "transport" ? transports[(made += 1) - 1] : undefined,
            iceParameters: { usernameFragment: "u", password: "p", iceLite: true },
            iceCandidates: [],
            dtlsParameters: {
              role: "auto",
              fingerprints: [{ algorithm: "sha-256", value: Array.from({ length: 32 }, () => "AA").join(":") }],
            },
            sctpParameters: { port: 5_000, maxSendMessageSize: 1, maxReceiveMessageSize: 1 },
          }),
        };
      },
      clock,
      page: new FakePage(),
    },
    {
      here: () => undefined,
      away: () => undefined,
      over: ({ kind }) => expect.unreachable(kind),
      sendFailed: () => undefined,
    },
  );
  return { clock, room, asked, wire: () => events!, finish: () => finish?.() };
}

test("[VC64] who comes in while one's media is being set up stays, and who leaves is gone", async () => {
  const { room, wire, finish } = setting();
  wire().event("ready", snapshot([peer(2, [two]), peer(3, [three])]));
  wire().event("peer:joined", { peer: peer(4, []) });
  wire().event("producer:added", { peerId: id(4), producer: peer(4, [four]).producers[0] });
  wire().event("peer:left", { peerId: id(3), reason: "left" });
  finish();
  await settle();
  expect([...room.remotes.value.keys()]).toEqual([two, four]);
});

test("[VC64] after a connection was lost, the node's list is what counts", async () => {
  const { clock, room, wire, finish } = setting();
  wire().event("ready", snapshot([peer(2, [two]), peer(3, [three, gone])]));
  finish();
  await settle();
  expect([...room.remotes.value.keys()]).toEqual([two, three, gone]);
  wire().lost();
  await clock.advance(0);
  wire().event("ready", snapshot([peer(3, [three]), peer(4, [four])]));
  await settle();
  expect([...room.remotes.value.keys()]).toEqual([three, four]);
});

test("[VC62] who may not listen asks for no sound, from the beginning and until they may", async () => {
  const { room, asked, wire, finish } = setting("stay");
  wire().event("ready", { ...snapshot([peer(2, [two])]), rights: ["speak"] });
  finish();
  await settle();
  room.hear(false);
  room.hear(true);
  await settle();
  const consumed = () => asked.filter((name) => name.startsWith("consume"));
  expect(consumed()).toEqual([]);
  wire().event("rights", { rights: ["speak", "listen"] });
  await settle();
  expect(consumed()).toEqual(["consume"]);
});
