import type { Source } from "@lescopains/protocol/sfu/media";
import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { GateRule } from "./level.ts";
import { asMediaError, type MediaError } from "./media-refusal.ts";
import type { Microphone } from "./microphone.ts";
import type { PrefBook, VoicePrefs } from "./prefs.ts";
import type { Sent } from "./sending.ts";

/** How devices are had; `devices.ts` and `microphone.ts` in a browser. */
export interface DevicePort {
  readonly openMicrophone: (prefs: VoicePrefs, onLost: () => void) => Promise<Microphone>;
  readonly askCamera: (prefs: VoicePrefs) => Promise<MediaStream>;
  readonly askScreen: (prefs: VoicePrefs) => Promise<MediaStream>;
}

/** One's microphone, camera and screen during a call, whichever room they go to. */
export interface OwnMedia {
  /** What is to be sent now. */
  readonly sent: ReadonlySignal<ReadonlyMap<Source, Sent>>;
  readonly microphone: ReadonlySignal<Microphone | null>;
  readonly camera: ReadonlySignal<MediaStream | null>;
  readonly screen: ReadonlySignal<MediaStream | null>;
  /** What could not be had: the microphone, as long as there is none; of camera and screen what was asked for last. */
  readonly refusals: ReadonlySignal<readonly MediaError[]>;
  /** What was taken away last while it was in use: another microphone has taken over by then, a camera is off. */
  readonly unplugged: ReadonlySignal<{ readonly wish: "microphone" | "camera" } | null>;
  readonly muted: ReadonlySignal<boolean>;
  /** Muted, or without a microphone. */
  readonly silent: ReadonlySignal<boolean>;
  readonly deafened: ReadonlySignal<boolean>;
  /** Opens the microphone; without one, one listens. */
  readonly start: () => Promise<void>;
  readonly setMuted: (muted: boolean) => void;
  /** Who hears nobody is not heard either. */
  readonly setDeafened: (deafened: boolean) => void;
  /** Camera and screen are there during a call only. */
  readonly setCamera: (on: boolean) => Promise<void>;
  readonly setScreen: (on: boolean) => Promise<void>;
  /** The key of push-to-talk. */
  readonly hold: (held: boolean) => void;
  /** Lets everything go: every light goes out. */
  readonly stop: () => void;
  readonly close: () => void;
}

/** What needs another microphone when it changes. */
function inputOf({ microphoneId, noise, echoCancellation, autoGain }: VoicePrefs): string {
  return [microphoneId, noise, echoCancellation, autoGain].join();
}

export function createOwnMedia(devices: DevicePort, { prefs, change }: PrefBook): OwnMedia {
  const microphone = signal<Microphone | null>(null);
  const camera = signal<MediaStream | null>(null);
  const screen = signal<MediaStream | null>(null);
  const noMicrophone = signal<MediaError | null>(null);
  const noPicture = signal<MediaError | null>(null);
  const refusals = computed(() => [noMicrophone.value, noPicture.value].filter((one) => one !== null));
  const unplugged = signal<{ readonly wish: "microphone" | "camera" } | null>(null);
  const deafened = signal(false);
  const held = signal(false);
  const silent = computed(() => muted.value || noMicrophone.value !== null);
  const muted = computed(() => prefs.value.muted || deafened.value);
  /** Grows with each wish for it, so that what comes too late is told apart and let go. */
  const rounds = { microphone: 0, camera: 0, screen: 0 };
  /** On, or being asked for. */
  const isWished = { camera: false, screen: false };
  let started = false;
  let openedFor = "";
  let cameraOf = prefs.peek().cameraId;

  const sent = computed(() => {
    const all = new Map<Source, Sent>();
    const voice = microphone.value;
    if (voice !== null) {
      all.set("audio", { track: voice.track, paused: muted.value || (!voice.gates && !voice.open.value) });
    }
    for (const [source, stream, kind] of [
      ["camera", camera.value, "video"],
      ["screen", screen.value, "video"],
      ["screen-audio", screen.value, "audio"],
    ] as const) {
      const [found] = stream?.getTracks().filter((one) => one.kind === kind) ?? [];
      if (found !== undefined) all.set(source, { track: found, paused: false });
    }
    return all;
  });

  const rule = computed((): GateRule => {
    const { activation, thresholdDb } = prefs.value;
    if (activation === "push") return { when: held.value ? "always" : "closed", thresholdDb };
    return { when: activation, thresholdDb };
  });

  /** Opens the microphone as it is set now, and lets the one before go when the new one is there. `lost`: that one is gone already. */
  async function openMicrophone(lost = false): Promise<void> {
    rounds.microphone += 1;
    const mine = rounds.microphone;
    openedFor = inputOf(prefs.peek());
    try {
      const opened = await devices.openMicrophone(prefs.peek(), () => {
        if (mine === rounds.microphone) void openMicrophone(true);
      });
      if (mine !== rounds.microphone) {
        opened.close();
        return;
      }
      const before = microphone.peek();
      opened.setRule(rule.peek());
      microphone.value = opened;
      before?.close();
      noMicrophone.value = null;
      if (lost) unplugged.value = { wish: "microphone" };
    } catch (thrown) {
      if (mine !== rounds.microphone) return;
      microphone.peek()?.close();
      microphone.value = null;
      noMicrophone.value = asMediaError("microphone", thrown);
    }
  }

  async function turn(which: "camera" | "screen", on: boolean): Promise<void> {
    const place = which === "camera" ? camera : screen;
    if (on && (!started || isWished[which])) return;
    isWished[which] = on;
    rounds[which] += 1;
    const mine = rounds[which];
    if (!on) {
      const before = place.peek();
      place.value = null;
      for (const track of before?.getTracks() ?? []) track.stop();
      return;
    }
    try {
      const stream = await (which === "camera" ? devices.askCamera : devices.askScreen)(prefs.peek());
      if (mine !== rounds[which]) {
        for (const track of stream.getTracks()) track.stop();
        return;
      }
      // Unplugged, or ended by the browser's own button.
      stream.getVideoTracks()[0]?.addEventListener("ended", () => {
        if (place.peek() !== stream) return;
        void turn(which, false);
        if (which === "camera") unplugged.value = { wish: "camera" };
      });
      noPicture.value = null;
      place.value = stream;
    } catch (thrown) {
      if (mine !== rounds[which]) return;
      isWished[which] = false;
      noPicture.value = asMediaError(which, thrown);
    }
  }

  const stops = [
    effect(() => microphone.value?.setRule(rule.value)),
    effect(() => {
      const input = inputOf(prefs.value);
      if (started && input !== openedFor) void openMicrophone();
    }),
    effect(() => {
      // A button or a key that was held when it stopped mattering may never be heard of again.
      if (muted.value) held.value = false;
    }),
    effect(() => {
      // Another camera was chosen while one is on, or on its way.
      const { cameraId } = prefs.value;
      const isOther = cameraOf !== cameraId;
      cameraOf = cameraId;
      if (isOther && isWished.camera) void turn("camera", false).then(() => turn("camera", true));
    }),
  ];

  function stop(): void {
    started = false;
    rounds.microphone += 1;
    microphone.peek()?.close();
    microphone.value = null;
    noMicrophone.value = null;
    noPicture.value = null;
    unplugged.value = null;
    deafened.value = false;
    held.value = false;
    void turn("camera", false);
    void turn("screen", false);
  }

  return {
    sent,
    microphone,
    camera,
    screen,
    refusals,
    unplugged,
    muted,
    silent,
    deafened,
    async start() {
      started = true;
      await openMicrophone();
    },
    setMuted(next) {
      if (!next && deafened.peek()) deafened.value = false;
      change({ muted: next });
      // Whoever wants to be heard after all is asked for the microphone once more.
      if (!next && started && microphone.peek() === null) void openMicrophone();
    },
    setDeafened(next) {
      deafened.value = next;
    },
    setCamera: (on) => turn("camera", on),
    setScreen: (on) => turn("screen", on),
    hold(next) {
      held.value = next;
    },
    stop,
    close() {
      for (const end of stops) end();
      stop();
    },
  };
}
