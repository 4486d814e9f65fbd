import { batch, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { ChannelId } from "@lescopains/protocol/ids";
import type { Voice } from "../voice/voice.ts";
import type { Live } from "../sync/live-types.ts";
import type { DeviceId } from "@lescopains/protocol/device-list";
import { useClient, useLive } from "./client-context.ts";
import type { DeviceState } from "../keys/port.ts";
import { type KeysBook, useKeys } from "./keys.ts";
import { voicePrefs } from "./voice-prefs.ts";

/** Voice of a signed-in person; its code comes when it is first needed. */
export interface VoiceHub {
  /** Null until someone joins a call. */
  readonly voice: ReadonlySignal<Voice | null>;
  /** The channel one is on the way to while the code comes. */
  readonly loading: ReadonlySignal<ChannelId | null>;
  readonly failed: ReadonlySignal<boolean>;
  readonly join: (channelId: ChannelId, camera?: boolean) => void;
  /** Comes into a direct conversation's call, and lets the others ring unless it goes on already. */
  readonly call: (channelId: ChannelId, camera: boolean) => void;
  readonly close: () => void;
}

const hubs = new WeakMap<Pick<Live, "voice">, VoiceHub>();

/** `make` loads the code and makes voice of it; asked once for each signed-in person. */
export function openVoiceHub(live: Pick<Live, "voice">, make: () => Promise<Voice>): VoiceHub {
  const voice: Signal<Voice | null> = signal(null);
  const loading = signal<ChannelId | null>(null);
  const failed = signal(false);
  let closed = false;
  /** Where the others are to be called, once one is in. */
  let ringIn: ChannelId | undefined;
  let withCamera = false;

  /** Rings when one has come in, since only who is in may call. */
  function ringWhenIn(made: Voice): void {
    effect(() => {
      const state = made.state.value;
      if (state.kind === "idle" || ringIn !== state.channelId) return;
      if (state.kind !== "joined") return;
      ringIn = undefined;
      live.voice.call("ring", state.channelId).catch(() => undefined);
    });
  }

  function comeIn(made: Voice, channelId: ChannelId): void {
    made.join(channelId);
    if (withCamera) void made.own.setCamera(true);
  }

  function enter(channelId: ChannelId, camera: boolean, rings: boolean): void {
    failed.value = false;
    ringIn = rings ? channelId : undefined;
    withCamera = camera;
    const ready = voice.peek();
    if (ready !== null) {
      comeIn(ready, channelId);
      return;
    }
    const isLoading = loading.peek() !== null;
    loading.value = channelId;
    if (isLoading) return;
    make()
      .then((made) => {
        if (closed) {
          made.close();
          return;
        }
        ringWhenIn(made);
        const wanted = loading.peek();
        batch(() => {
          voice.value = made;
          loading.value = null;
        });
        if (wanted !== null) comeIn(made, wanted);
      })
      .catch(() => {
        batch(() => {
          loading.value = null;
          failed.value = true;
        });
      });
  }

  const hub: VoiceHub = {
    voice,
    loading,
    failed,
    join: (channelId, camera = false) => enter(channelId, camera, false),
    call(channelId, camera) {
      const isOngoing = (live.voice.roster(channelId).peek()?.members.length ?? 0) > 0;
      enter(channelId, camera, !isOngoing);
    },
    close() {
      closed = true;
      voice.peek()?.close();
      voice.value = null;
      hubs.delete(live);
    },
  };
  return hub;
}

/** Whether and where one is in a call. */
export function useVoiceHub(): VoiceHub {
  const live = useLive();
  const { api } = useClient();
  const keys = useKeys();
  const known = hubs.get(live);
  if (known !== undefined) return known;
  const made = openVoiceHub(live, async () => {
    const { createBrowserVoice } = await import("../voice/browser.ts");
    return createBrowserVoice({ live, api, prefs: voicePrefs, device: () => deviceOf(keys) });
  });
  hubs.set(live, made);
  return made;
}

/** This browser's device, once it is known whether there is one; undefined: it has yet to be let in. */
async function deviceOf({ device }: KeysBook): Promise<DeviceId | undefined> {
  const state = await new Promise<DeviceState>((resolve) => {
    const stop = effect(() => {
      if (device.value.kind === "starting") return;
      resolve(device.value);
      queueMicrotask(() => stop());
    });
  });
  return state.kind === "ready" ? state.deviceId : undefined;
}
