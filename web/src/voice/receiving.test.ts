import type { UserId } from "@lescopains/protocol/ids";
import type { Producer } from "@lescopains/protocol/sfu/room";
import type { types } from "mediasoup-client";
import { describe, expect, test } from "vitest";
import { ApiError, unavailable } from "../net/api-error.ts";
import { settle } from "../sync/fakes.ts";
import { createReceiving } from "./receiving.ts";
import type { SfuLink } from "./sfu-link.ts";

const leo = { peerId: "peer-leo", userId: "leo" as UserId, deviceId: 1 };
const voice = { producerId: "voice", source: "audio", kind: "audio", paused: false } as Producer;
const face = { producerId: "face", source: "camera", kind: "video", paused: false } as Producer;

/** A node and a browser's transport that note what they are asked. */
function setting() {
  const asked: string[] = [];
  const attached: string[] = [];
  const world = { stay: "stay-1" as string | undefined, refuse: undefined as ApiError | undefined };
  let made = 0;
  let held: Promise<void> | undefined;
  /** The browser sets nothing up before this. */
  const hold = (until: Promise<void>): void => void (held = until);
  const link = {
    async request(name: string, body: { producerId?: string; consumerId?: string; spatialLayer?: number }) {
      await Promise.resolve();
      if (world.refuse !== undefined) throw world.refuse;
      const layer = body.spatialLayer === undefined ? "" : ` ${body.spatialLayer}`;
      asked.push(`${name} ${body.producerId ?? body.consumerId}${layer}`);
      if (name === "consume") return { consumerId: `c${(made += 1)}-${body.producerId}`, rtpParameters: {} };
      return {};
    },
  } as unknown as SfuLink;
  const transport = {
    id: "t",
    closed: false,
    async consume({ id, onRtpReceiver }: types.ConsumerOptions) {
      await held;
      onRtpReceiver?.({} as RTCRtpReceiver);
      return { id, track: { id: `track-${id}` }, close: () => asked.push(`closed ${id}`) };
    },
  } as unknown as types.Transport;
  const receiving = createReceiving({
    link,
    transport,
    stayOf: () => world.stay,
    attach: (_receiver, source, stay) => attached.push(`${source} of ${stay}`),
  });
  return { receiving, asked, attached, world, hold };
}

describe("sound", () => {
  test("[VC61] is received at once, through the keys of whoever sends it", async () => {
    const { receiving, asked, attached } = setting();
    receiving.add(leo, voice);
    await settle();
    expect(asked).toEqual(["consume voice", "consumer:resume c1-voice"]);
    expect(attached).toEqual(["audio of stay-1"]);
    expect(receiving.remotes.value.get("voice")?.track?.id).toBe("track-c1-voice");
  });

  test("[VC61] waits until the list of members names its sender: without a stay there are no keys", async () => {
    const { receiving, asked, world } = setting();
    world.stay = undefined;
    receiving.add(leo, voice);
    await settle();
    expect(asked).toEqual([]);
    world.stay = "stay-2";
    receiving.reconsider();
    await settle();
    expect(asked).toHaveLength(2);
  });

  test("[VC61] goes through the keys of the stay that the list names now: who began another one is heard though the node was faster", async () => {
    const { receiving, asked, attached, world } = setting();
    receiving.add(leo, voice);
    await settle();
    world.stay = "stay-2";
    receiving.reconsider();
    await settle();
    expect(attached).toEqual(["audio of stay-1", "audio of stay-2"]);
    expect(asked.slice(2)).toEqual([
      "closed c1-voice",
      "consumer:close c1-voice",
      "consume voice",
      "consumer:resume c2-voice",
    ]);
    world.stay = undefined;
    receiving.reconsider();
    await settle();
    expect(asked).toHaveLength(6);
  });

  test("[VC62] who hears nobody receives nothing", async () => {
    const { receiving, asked } = setting();
    receiving.add(leo, voice);
    await settle();
    receiving.hear(false);
    await settle();
    receiving.hear(true);
    await settle();
    expect(asked.slice(2)).toEqual(["consumer:pause c1-voice", "consumer:resume c1-voice"]);
  });
});

test("[VC62] sound that is refused for want of a right is asked for again when the right is back; what cannot be played is not", async () => {
  const { receiving, asked, world } = setting();
  for (const [code, times] of [
    ["forbidden", 2],
    ["codec_unsupported", 0],
  ] as const) {
    asked.length = 0;
    world.refuse = new ApiError({ code, message: "" });
    receiving.add(leo, { ...voice, producerId: code });
    await settle();
    world.refuse = undefined;
    receiving.hear(false);
    receiving.hear(true);
    await settle();
    expect(asked.filter((line) => line.includes(code))).toHaveLength(times);
  }
});

describe("pictures", () => {
  test("[VC62] are received while someone looks, as large as they are shown", async () => {
    const { receiving, asked } = setting();
    receiving.add(leo, face);
    await settle();
    expect(asked).toEqual([]);
    const small = receiving.watch("face", 200, false);
    await settle();
    const large = receiving.watch("face", 1_280, false);
    await settle();
    small();
    large();
    await settle();
    expect(asked.filter((line) => !line.startsWith("consumer:priority"))).toEqual([
      "consume face",
      "consumer:layers c1-face 0",
      "consumer:resume c1-face",
      "consumer:layers c1-face 2",
      "consumer:pause c1-face",
    ]);
  });

  test("[VC62] a page that nobody sees receives none, a window of its own does", async () => {
    const { receiving, asked } = setting();
    receiving.add(leo, face);
    const here = receiving.watch("face", 400, false);
    await settle();
    receiving.see(false);
    await settle();
    expect(asked.at(-1)).toBe("consumer:pause c1-face");
    receiving.watch("face", 400, true);
    here();
    await settle();
    expect(asked.at(-1)).toBe("consumer:resume c1-face");
  });
});

describe("races", () => {
  test("[VC63] what ends while it is asked for is closed on both sides", async () => {
    const { receiving, asked } = setting();
    receiving.add(leo, voice);
    receiving.remove("voice");
    await settle();
    expect(asked).toEqual(["consume voice", "consumer:close c1-voice"]);
    expect(receiving.remotes.value.size).toBe(0);
  });

  test("[VC63] without a connection nothing is given up; afterwards what the node lost is asked for again", async () => {
    const { receiving, asked, world } = setting();
    world.refuse = unavailable("away");
    receiving.add(leo, voice);
    await settle();
    world.refuse = undefined;
    receiving.compare(new Map());
    await settle();
    expect(asked).toEqual(["consume voice", "consumer:resume c1-voice"]);
    receiving.compare(new Map());
    await settle();
    expect(asked.slice(2)).toEqual(["closed c1-voice", "consume voice", "consumer:resume c2-voice"]);
  });

  test("[VC63] a consumer of which only the node knows, since its answer was lost, is closed there", async () => {
    const { receiving, asked, world } = setting();
    world.refuse = unavailable("away");
    receiving.add(leo, voice);
    await settle();
    world.refuse = undefined;
    receiving.compare(new Map([["lost", { paused: true }]]));
    await settle();
    expect(asked.toSorted()).toEqual(["consume voice", "consumer:close lost", "consumer:resume c1-voice"]);
  });

  test("[VC63] what the browser cannot set up is closed at the node, and not asked for again", async () => {
    const { receiving, asked, hold } = setting();
    hold(Promise.reject(new Error("not playable")));
    receiving.add(leo, voice);
    await settle();
    receiving.reconsider();
    await settle();
    expect(asked).toEqual(["consume voice", "consumer:close c1-voice"]);
  });

  test("[VC63] a consumer that the browser is just setting up is not closed", async () => {
    const { receiving, asked, hold } = setting();
    const { promise, resolve: release } = Promise.withResolvers<void>();
    hold(promise);
    receiving.add(leo, voice);
    await settle();
    receiving.compare(new Map([["c1-voice", { paused: true }]]));
    release();
    await settle();
    expect(asked).toEqual(["consume voice", "consumer:resume c1-voice"]);
  });

  test("[VC63] what is refused for good is not asked for again", async () => {
    const { receiving, asked, world } = setting();
    world.refuse = new ApiError({ code: "codec_unsupported", message: "" });
    receiving.add(leo, voice);
    await settle();
    world.refuse = undefined;
    receiving.reconsider();
    await settle();
    expect(asked).toEqual([]);
  });

  test("[VC63] who leaves takes all of theirs along", async () => {
    const { receiving } = setting();
    receiving.add(leo, voice);
    receiving.add(leo, face);
    await settle();
    receiving.removeOf(leo.peerId);
    expect(receiving.remotes.value.size).toBe(0);
  });
});
