import type { DownBody } from "@lescopains/protocol/down";
import type { UserId } from "@lescopains/protocol/ids";
import type { Feed } from "../keys/keys.ts";
import { KeysError, type KeysPort } from "../keys/port.ts";
import type { RemoteKeys } from "../keys/remote.ts";
import type { Socket } from "../net/socket.ts";
import type { Clock, KeyValueStore } from "./ports.ts";

/** This browser's device: its worker starts when it is first needed, or soon after the first screen. */
export interface Device {
  readonly port: KeysPort;
  /** Passes on an event of the connection. */
  readonly feed: <N extends keyof Feed>(name: N, body: Feed[N]) => void;
  readonly ready: (body: DownBody<"ready">) => void;
  readonly lost: () => void;
  readonly close: () => void;
}

export interface DeviceDeps {
  readonly selfId: UserId;
  readonly socket: Socket;
  readonly storage: KeyValueStore;
  readonly clock: Clock;
  readonly openKeys: () => RemoteKeys;
}

/** The first screen goes before the keys. */
const START_AFTER_MS = 300;

export function createDevice({ selfId, socket, storage, clock, openKeys }: DeviceDeps): Device {
  const hint = `lescopains:device:${selfId}`;
  let keys: RemoteKeys | undefined;
  let closed = false;
  let cancel: (() => void) | undefined;
  /** Since `ready`, for a worker that starts later. */
  let waiting: (() => void)[] = [];
  const subscriptions: ((to: RemoteKeys) => void)[] = [];

  const kept = Number(storage.get(hint));
  if (Number.isInteger(kept) && kept >= 1 && kept <= 127) socket.useDevice(kept);

  function started(): RemoteKeys {
    if (keys !== undefined) return keys;
    cancel?.();
    keys = openKeys();
    keys.on("device", (state) => {
      if (state.kind === "ready") {
        storage.set(hint, String(state.deviceId));
        socket.useDevice(state.deviceId);
      } else if (state.kind !== "starting" && state.kind !== "failed") {
        storage.remove(hint);
      }
    });
    keys.on("forgotten", () => storage.remove(hint));
    for (const subscribe of subscriptions) subscribe(keys);
    for (const pass of waiting) pass();
    waiting = [];
    return keys;
  }

  function feed<N extends keyof Feed>(name: N, body: Feed[N]): void {
    if (keys !== undefined) keys.feed(name, body);
    else waiting.push(() => keys?.feed(name, body));
  }

  return {
    port: {
      async ask(name, question) {
        if (closed) throw new KeysError({ code: "not_ready", message: "signed out" });
        return await started().ask(name, question);
      },
      on(name, listener) {
        let stop: (() => void) | undefined;
        let stopped = false;
        const subscribe = (to: RemoteKeys): void => {
          if (!stopped) stop = to.on(name, listener);
        };
        if (keys === undefined) subscriptions.push(subscribe);
        else subscribe(keys);
        return () => {
          stopped = true;
          stop?.();
        };
      },
    },
    feed,
    ready({ dms, deviceId, generation }) {
      waiting = [];
      feed("ready", { dms, deviceId, generation });
      if (keys === undefined && !closed) cancel ??= clock.after(START_AFTER_MS, () => void started());
    },
    lost: () => feed("lost", null),
    close() {
      closed = true;
      cancel?.();
      keys?.close();
    },
  };
}
