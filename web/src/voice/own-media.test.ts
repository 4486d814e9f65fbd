import { signal } from "@preact/signals";
import { describe, expect, test } from "vitest";
import { settle } from "../sync/fakes.ts";
import type { GateRule } from "./level.ts";
import { MediaError } from "./media-refusal.ts";
import type { Microphone } from "./microphone.ts";
import { createOwnMedia, type DevicePort } from "./own-media.ts";
import { createPrefs } from "./prefs.ts";

class FakeTrack extends EventTarget {
  readonly kind: string;
  stopped = false;
  constructor(kind: string) {
    super();
    this.kind = kind;
  }
  stop(): void {
    this.stopped = true;
  }
}

function streamOf(...kinds: string[]): MediaStream {
  const tracks = kinds.map((kind) => new FakeTrack(kind));
  return {
    getTracks: () => tracks,
    getVideoTracks: () => tracks.filter(({ kind }) => kind === "video"),
  } as unknown as MediaStream;
}

function setting() {
  const opened: { readonly lost: () => void; closed: boolean; readonly rules: GateRule[] }[] = [];
  let refuse: MediaError | undefined;
  const asked: string[] = [];
  const world = { gates: true };
  const devices: DevicePort = {
    async openMicrophone(_prefs, lost) {
      asked.push("microphone");
      if (refuse !== undefined) throw refuse;
      const made = { lost, closed: false, rules: [] as GateRule[] };
      opened.push(made);
      const open = signal(false);
      return {
        track: new FakeTrack("audio"),
        gates: world.gates,
        open,
        levelDb: signal(-100),
        setRule(rule: GateRule) {
          made.rules.push(rule);
          open.value = rule.when !== "closed";
        },
        close: () => (made.closed = true),
      } as unknown as Microphone;
    },
    askCamera: async ({ cameraId }) => {
      asked.push(`camera ${cameraId}`);
      await answering;
      if (refuse !== undefined) throw refuse;
      const stream = streamOf("video");
      lit.push(...(stream.getTracks() as unknown as FakeTrack[]));
      return stream;
    },
    askScreen: async () => {
      asked.push("screen");
      await answering;
      return streamOf("video", "audio");
    },
  };
  let answering: Promise<void> | undefined;
  /** Devices come when the answer is called. */
  function slow(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    answering = promise;
    return resolve;
  }
  const lit: FakeTrack[] = [];
  const prefs = createPrefs({ get: () => null, set: () => undefined });
  const own = createOwnMedia(devices, prefs);
  return {
    own,
    prefs,
    opened,
    asked,
    world,
    slow,
    refuses: (next: MediaError | undefined) => (refuse = next),
    lights: () => lit.filter(({ stopped }) => !stopped).length,
  };
}

async function inCall() {
  const here = setting();
  await here.own.start();
  here.asked.length = 0;
  return here;
}

describe("microphone", () => {
  test("[VC21] muted, the track stays and is paused; who hears nobody is not heard", async () => {
    const { own } = setting();
    await own.start();
    const track = own.sent.value.get("audio")?.track;
    own.setMuted(true);
    expect(own.sent.value.get("audio")).toEqual({ track, paused: true });
    own.setMuted(false);
    own.setDeafened(true);
    expect(own.sent.value.get("audio")?.paused).toBe(true);
    own.setMuted(false);
    expect([own.deafened.value, own.muted.value]).toEqual([false, false]);
  });

  test("[VC1] push-to-talk opens the gate while the key is held", async () => {
    const { own, prefs, opened } = setting();
    await own.start();
    prefs.change({ activation: "push" });
    own.hold(true);
    own.hold(false);
    expect(opened[0]?.rules.map(({ when }) => when)).toEqual(["voice", "voice", "closed", "always", "closed"]);
  });

  test("[VC1] without a gate of its own, the microphone is paused while the key is up", async () => {
    const { own, prefs, world } = setting();
    world.gates = false;
    prefs.change({ activation: "push" });
    await own.start();
    expect(own.sent.value.get("audio")?.paused).toBe(true);
    own.hold(true);
    expect(own.sent.value.get("audio")?.paused).toBe(false);
    own.setMuted(true);
    expect(own.sent.value.get("audio")?.paused).toBe(true);
  });

  test("[VC22] another microphone takes over while one speaks; the one before is let go after", async () => {
    const { own, prefs, opened } = setting();
    await own.start();
    const before = own.sent.value.get("audio")?.track;
    prefs.change({ microphoneId: "usb" });
    await settle();
    expect(own.sent.value.get("audio")?.track).not.toBe(before);
    expect(opened.map(({ closed }) => closed)).toEqual([true, false]);
  });

  test("[VC22] one that is unplugged gives way to the system's; without any, one listens and is told", async () => {
    const { own, opened, refuses } = setting();
    await own.start();
    opened[0]?.lost();
    await settle();
    expect(opened.map(({ closed }) => closed)).toEqual([true, false]);
    expect(own.unplugged.value).toEqual({ wish: "microphone" });
    refuses(new MediaError("microphone", "missing"));
    opened[1]?.lost();
    await settle();
    expect(own.sent.value.has("audio")).toBe(false);
    expect(own.refusals.value).toMatchObject([{ wish: "microphone", refusal: "missing" }]);
    refuses(undefined);
    own.setMuted(false);
    await settle();
    expect(own.sent.value.has("audio")).toBe(true);
    expect(own.refusals.value).toEqual([]);
  });

  test("[VC26] without a microphone one counts as muted until there is one, whatever becomes of the camera", async () => {
    const { own, refuses } = setting();
    refuses(new MediaError("microphone", "missing"));
    await own.start();
    refuses(undefined);
    await own.setCamera(true);
    expect([own.silent.value, own.refusals.value.map(({ wish }) => wish)]).toEqual([true, ["microphone"]]);
    await own.setCamera(false);
    refuses(new MediaError("camera", "denied"));
    await own.setCamera(true);
    expect([own.silent.value, own.refusals.value.map(({ wish }) => wish)]).toEqual([true, ["microphone", "camera"]]);
    refuses(undefined);
    own.setMuted(false);
    await settle();
    expect([own.silent.value, own.refusals.value.map(({ wish }) => wish)]).toEqual([false, ["camera"]]);
  });

  test("[VC27] what is held to talk is let go by muting and by leaving: the next word is not heard unasked", async () => {
    const { own, prefs, opened } = setting();
    const rule = () => opened.at(-1)?.rules.at(-1)?.when;
    prefs.change({ activation: "push" });
    await own.start();
    own.hold(true);
    expect(rule()).toBe("always");
    own.setMuted(true);
    own.setMuted(false);
    expect(rule()).toBe("closed");
    own.hold(true);
    own.stop();
    await own.start();
    expect(rule()).toBe("closed");
  });

  test("[VC23] what comes after one has left is let go at once", async () => {
    const { own, opened } = setting();
    const starting = own.start();
    own.stop();
    await starting;
    expect(opened.map(({ closed }) => closed)).toEqual([true]);
    expect(own.sent.value.size).toBe(0);
  });
});

describe("camera and screen", () => {
  test("[VC23] off before it came, it is let go; ended by the browser, it is off", async () => {
    const { own } = await inCall();
    const turning = own.setCamera(true);
    await own.setCamera(false);
    await turning;
    expect(own.camera.value).toBeNull();
    await own.setScreen(true);
    expect([...own.sent.value.keys()]).toEqual(["audio", "screen", "screen-audio"]);
    own.screen.value?.getVideoTracks()[0]?.dispatchEvent(new Event("ended"));
    expect([...own.sent.value.keys()]).toEqual(["audio"]);
    expect(own.unplugged.value).toBeNull();
  });

  test("[VC22] a camera that is unplugged is off, and that is told", async () => {
    const { own } = await inCall();
    await own.setCamera(true);
    own.camera.value?.getVideoTracks()[0]?.dispatchEvent(new Event("ended"));
    expect(own.camera.value).toBeNull();
    expect(own.unplugged.value).toEqual({ wish: "camera" });
  });

  test("[VC22] another camera that is chosen while one is on is shown at once", async () => {
    const { own, prefs, asked } = await inCall();
    await own.setCamera(true);
    const before = own.camera.value;
    prefs.change({ cameraId: "usb" });
    await settle();
    expect(own.camera.value).not.toBe(before);
    expect(asked).toEqual(["camera ", "camera usb"]);
  });

  test("[VC4] what is refused is said, and nothing else changes", async () => {
    const { own, refuses } = await inCall();
    refuses(new MediaError("camera", "denied"));
    await own.setCamera(true);
    expect(own.camera.value).toBeNull();
    expect(own.refusals.value).toMatchObject([{ wish: "camera", refusal: "denied" }]);
    refuses(undefined);
    await own.setCamera(true);
    expect([own.camera.value === null, own.refusals.value]).toEqual([false, []]);
  });

  test("[VC22] another camera that is chosen while one is being asked for is the one that comes", async () => {
    const { own, prefs, asked, slow, lights } = await inCall();
    const come = slow();
    const turning = own.setCamera(true);
    prefs.change({ cameraId: "usb" });
    await settle();
    come();
    await turning;
    await settle();
    expect(asked).toEqual(["camera ", "camera usb"]);
    expect([own.camera.value === null, lights()]).toEqual([false, 1]);
  });

  test("[VC12] pressed twice, one is asked for a screen once; pressed off, it can be asked for again", async () => {
    const { own, asked, slow } = await inCall();
    const come = slow();
    void own.setScreen(true);
    void own.setScreen(true);
    await settle();
    expect(asked).toEqual(["screen"]);
    void own.setScreen(false);
    void own.setScreen(true);
    come();
    await settle();
    expect(asked).toEqual(["screen", "screen"]);
    expect(own.screen.value).not.toBeNull();
  });

  test("[VC25] outside of a call no camera and no screen is asked for", async () => {
    const { own, asked, lights } = await inCall();
    own.stop();
    await own.setCamera(true);
    await own.setScreen(true);
    expect(asked).toEqual([]);
    expect([own.camera.value, own.screen.value, lights()]).toEqual([null, null, 0]);
  });
});
