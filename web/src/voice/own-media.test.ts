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
    askCamera: async () => {
      asked.push("camera");
      if (refuse !== undefined) throw refuse;
      return streamOf("video");
    },
    askScreen: async () => streamOf("video", "audio"),
  };
  const prefs = createPrefs({ get: () => null, set: () => undefined });
  const own = createOwnMedia(devices, prefs);
  return { own, prefs, opened, asked, world, refuses: (next: MediaError | undefined) => (refuse = next) };
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
    expect(own.refusal.value?.refusal).toBe("missing");
    refuses(undefined);
    own.setMuted(false);
    await settle();
    expect(own.sent.value.has("audio")).toBe(true);
    expect(own.refusal.value).toBeNull();
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
    const { own } = setting();
    const turning = own.setCamera(true);
    await own.setCamera(false);
    await turning;
    expect(own.camera.value).toBeNull();
    await own.setScreen(true);
    expect([...own.sent.value.keys()]).toEqual(["screen", "screen-audio"]);
    own.screen.value?.getVideoTracks()[0]?.dispatchEvent(new Event("ended"));
    expect(own.sent.value.size).toBe(0);
    expect(own.unplugged.value).toBeNull();
  });

  test("[VC22] a camera that is unplugged is off, and that is told", async () => {
    const { own } = setting();
    await own.setCamera(true);
    own.camera.value?.getVideoTracks()[0]?.dispatchEvent(new Event("ended"));
    expect(own.camera.value).toBeNull();
    expect(own.unplugged.value).toEqual({ wish: "camera" });
  });

  test("[VC22] another camera that is chosen while one is on is shown at once", async () => {
    const { own, prefs, asked } = setting();
    await own.setCamera(true);
    const before = own.camera.value;
    prefs.change({ cameraId: "usb" });
    await settle();
    expect(own.camera.value).not.toBe(before);
    expect(asked).toEqual(["camera", "camera"]);
  });

  test("[VC4] what is refused is said, and nothing else changes", async () => {
    const { own, refuses } = setting();
    refuses(new MediaError("camera", "denied"));
    await own.setCamera(true);
    expect(own.camera.value).toBeNull();
    expect(own.refusal.value).toMatchObject({ wish: "camera", refusal: "denied" });
  });
});
