import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type {
  DeviceState,
  DmState,
  HandoffState,
  KeysPort,
  OwnDeviceView,
  PeerState,
  VaultState,
} from "../keys/port.ts";
import type { Live } from "../sync/live-types.ts";
import { singleFlight } from "../sync/single-flight.ts";
import { useLive } from "./client-context.ts";

/** What the device tells, as signals. Methods that answer a signal answer the same one for the same id. */
export interface KeysBook {
  readonly port: KeysPort;
  readonly device: ReadonlySignal<DeviceState>;
  readonly vault: ReadonlySignal<VaultState>;
  /** The account's devices; null until they were asked for by `loadDevices`. */
  readonly devices: ReadonlySignal<readonly OwnDeviceView[] | null>;
  /** What is asked while an answer is on its way is asked after it. @throws KeysError */
  readonly loadDevices: () => Promise<void>;
  /** Of the present wait for another browser; null when there is none. */
  readonly handoff: Signal<HandoffState | null>;
  readonly restoring: ReadonlySignal<{ readonly done: number; readonly total: number } | null>;
  /** `undefined` until the device has answered. */
  readonly peer: (userId: UserId) => ReadonlySignal<PeerState | undefined>;
  readonly notePeer: (peer: PeerState) => void;
  readonly dm: (channelId: ChannelId) => ReadonlySignal<DmState | undefined>;
}

export function createKeysBook(port: KeysPort): KeysBook {
  const device = signal<DeviceState>({ kind: "starting" });
  const vault = signal<VaultState>({ kind: "unknown" });
  const devices = signal<readonly OwnDeviceView[] | null>(null);
  const handoff = signal<HandoffState | null>(null);
  const restoring = signal<{ readonly done: number; readonly total: number } | null>(null);
  const peers = new Map<UserId, Signal<PeerState | undefined>>();
  const dms = new Map<ChannelId, Signal<DmState | undefined>>();

  function dmSignal(channelId: ChannelId): Signal<DmState | undefined> {
    const known = dms.get(channelId);
    if (known !== undefined) return known;
    const made = signal<DmState | undefined>(undefined);
    dms.set(channelId, made);
    return made;
  }

  function askPeer(userId: UserId): void {
    // Without an answer the person stays unknown; the next change of the device asks again.
    port.ask("peer:state", { userId }).then(notePeer, () => undefined);
  }

  function notePeer(peer: PeerState): void {
    const known = peers.get(peer.userId);
    if (known !== undefined) known.value = peer;
  }

  function askAll(): void {
    port.ask("dm:states", {}).then(
      (states) => {
        for (const state of states) dmSignal(state.channelId).value = state;
      },
      () => undefined,
    );
    port.ask("vault:state", {}).then(
      (state) => {
        vault.value = state;
      },
      () => undefined,
    );
    for (const userId of peers.keys()) askPeer(userId);
  }

  function noteDevice(state: DeviceState): void {
    const before = device.peek().kind;
    device.value = state;
    if (state.kind === "ready" && before !== "ready") askAll();
    if (state.kind !== "identityElsewhere") handoff.value = null;
    if (state.kind === "ready") restoring.value = null;
  }

  port.on("device", noteDevice);
  port.on("vault", (state) => {
    vault.value = state;
  });
  port.on("devices", (list) => {
    devices.value = list;
  });
  port.on("handoff", (state) => {
    handoff.value = state;
  });
  port.on("restore", (progress) => {
    restoring.value = progress;
  });
  port.on("peer", notePeer);
  port.on("dm:state", (state) => {
    dmSignal(state.channelId).value = state;
  });
  port.ask("device:state", {}).then(noteDevice, () => undefined);

  return {
    port,
    device,
    vault,
    devices,
    loadDevices: singleFlight(async () => {
      devices.value = await port.ask("devices:list", {});
    }),
    handoff,
    restoring,
    peer(userId) {
      const known = peers.get(userId);
      if (known !== undefined) return known;
      const made = signal<PeerState | undefined>(undefined);
      peers.set(userId, made);
      askPeer(userId);
      return made;
    },
    notePeer,
    dm: dmSignal,
  };
}

const books = new WeakMap<Live, KeysBook>();

/** The device of this browser, for the person who is signed in. */
export function useKeys(): KeysBook {
  const live = useLive();
  const known = books.get(live);
  if (known !== undefined) return known;
  const made = createKeysBook(live.keys);
  books.set(live, made);
  return made;
}
