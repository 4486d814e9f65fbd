import type { Source } from "@lescopains/protocol/sfu/media";
import type { Peer, PeerId, Snapshot } from "@lescopains/protocol/sfu/room";
import type { Right } from "@lescopains/protocol/sfu/token";
import type { VoiceJoined } from "@lescopains/protocol/voice";
import { type ReadonlySignal, signal } from "@preact/signals";
import type { types } from "mediasoup-client";
import type { Clock, Page } from "../sync/ports.ts";
import type { FrameCrypto } from "./frames/frames.ts";
import { createReceiving, type Receiving, type Remote, type Sender } from "./receiving.ts";
import { createSending, type Sending, type Sent } from "./sending.ts";
import { type LinkEnd, openSfuLink } from "./sfu-link.ts";
import type { OpenSfuWire } from "./sfu-wire.ts";
import { keepPath } from "./transports.ts";

/** `dead`: no path to the node's media is left. `unreachable`: there never was one. `failed`: this browser could not set it up. */
export type RoomEnd =
  | LinkEnd
  | { readonly kind: "dead" | "unreachable" }
  | { readonly kind: "failed"; readonly error: unknown };

export interface MediaRoomEvents {
  /** Media can be sent and received. Again after each time without a connection. */
  readonly here: () => void;
  readonly away: () => void;
  readonly over: (end: RoomEnd) => void;
  /** A source cannot be sent. */
  readonly sendFailed: (source: Source, error: unknown) => void;
}

export interface MediaRoomDeps {
  readonly joined: VoiceJoined;
  readonly crypto: FrameCrypto;
  readonly stayOf: (sender: Sender) => string | undefined;
  readonly createDevice: () => Promise<types.Device>;
  readonly openWire: OpenSfuWire;
  readonly clock: Clock;
  readonly page: Page;
}

/** One's place in a room of an SFU node: what one sends there, and what one receives. */
export interface MediaRoom {
  readonly remotes: ReadonlySignal<ReadonlyMap<string, Remote>>;
  /** Who is heard now, as the node measures. */
  readonly speakers: ReadonlySignal<ReadonlySet<PeerId>>;
  readonly selfId: ReadonlySignal<PeerId | undefined>;
  /** What one may send; undefined until the node said. */
  readonly rights: ReadonlySignal<readonly Right[] | undefined>;
  readonly send: (source: Source, sent: Sent | undefined) => void;
  readonly hear: (on: boolean) => void;
  readonly watch: Receiving["watch"];
  /** The members have changed. */
  readonly reconsider: () => void;
  /** What the browser measures, and which receiver is whose; empty until media can flow. */
  readonly measure: () => Promise<{
    readonly reports: readonly RTCStatsReport[];
    readonly tracks: ReadonlyMap<string, string>;
  }>;
  /** Gives the place up, and tells the node. */
  readonly leave: () => void;
  /** Ends it here alone: the node keeps the place for a while. */
  readonly close: () => void;
}

/** What there is once media can flow. */
interface Media {
  readonly sending: Sending;
  readonly receiving: Receiving;
  readonly transports: readonly [types.Transport, types.Transport];
  readonly restart: () => void;
  readonly close: () => void;
}

export function openMediaRoom(deps: MediaRoomDeps, events: MediaRoomEvents): MediaRoom {
  const { joined, crypto, clock, page } = deps;
  const remotes = signal<ReadonlyMap<string, Remote>>(new Map());
  const speakers = signal<ReadonlySet<PeerId>>(new Set());
  const selfId = signal<PeerId | undefined>(undefined);
  const rights = signal<readonly Right[] | undefined>(undefined);
  const senders = new Map<PeerId, Sender>();
  const wishes = new Map<Source, Sent | undefined>();
  let media: Media | undefined;
  let setup: Promise<void> | undefined;
  let hearing = true;
  let closed = false;
  /** What came before media could flow. */
  let waiting: ((to: Receiving) => void)[] = [];
  const stops: (() => void)[] = [];

  const link = openSfuLink(
    { url: joined.url, token: joined.token, openWire: deps.openWire, clock },
    {
      ready: (snapshot) => void ready(snapshot),
      away: () => events.away(),
      over: (end) => over(end),
      event(name, body) {
        const handle = HANDLERS[name] as ((body: unknown) => void) | undefined;
        handle?.(body);
      },
    },
  );

  function withReceiving(task: (to: Receiving) => void): void {
    if (media === undefined) waiting.push(task);
    else task(media.receiving);
  }

  function addPeer({ peerId, userId, deviceId, producers }: Peer): void {
    const sender = { peerId, userId, deviceId };
    senders.set(peerId, sender);
    withReceiving((receiving) => {
      for (const producer of producers) receiving.add(sender, producer);
    });
  }

  function removePeer(peerId: PeerId): void {
    senders.delete(peerId);
    withReceiving((receiving) => receiving.removeOf(peerId));
  }

  const HANDLERS: Partial<Record<string, (body: never) => void>> = {
    "peer:joined": ({ peer }: { peer: Peer }) => addPeer(peer),
    "peer:left": ({ peerId }: { peerId: PeerId }) => removePeer(peerId),
    "producer:added": ({ peerId, producer }: { peerId: PeerId; producer: Peer["producers"][number] }) => {
      const sender = senders.get(peerId);
      if (sender !== undefined) withReceiving((receiving) => receiving.add(sender, producer));
    },
    "producer:state": ({ producerId, paused }: { producerId: string; paused: boolean }) =>
      withReceiving((receiving) => receiving.setPaused(producerId, paused)),
    "producer:removed": ({ producerId }: { producerId: string }) =>
      withReceiving((receiving) => receiving.remove(producerId)),
    "consumer:closed": ({ consumerId }: { consumerId: string }) =>
      withReceiving((receiving) => receiving.consumerClosed(consumerId)),
    "transport:failed": () => media?.restart(),
    rights: ({ rights: next }: { rights: readonly Right[] }) => {
      permit(next);
      if (next.includes("speak")) media?.sending.wish("audio", wishes.get("audio"));
    },
    speakers: ({ speakers: heard }: { speakers: readonly { peerId: PeerId }[] }) =>
      (speakers.value = new Set(heard.map(({ peerId }) => peerId))),
  };

  async function ready(snapshot: Snapshot): Promise<void> {
    selfId.value = snapshot.peer.peerId;
    permit(snapshot.rights);
    meet(snapshot);
    if (media !== undefined) {
      comeBack(snapshot, media);
      return;
    }
    try {
      await (setup ??= setUp(snapshot));
    } catch (error) {
      setup = undefined;
      // Lost on the way: the link tells when it is back.
      if (!closed && !isAway(error)) over({ kind: "failed", error });
      return;
    }
    if (!closed && media !== undefined) events.here();
  }

  function permit(next: readonly Right[]): void {
    rights.value = next;
    listen();
  }

  /** Sound is asked for while one wants it and may have it. */
  function listen(): void {
    media?.receiving.hear(hearing && rights.peek()?.includes("listen") === true);
  }

  /** Who is there as the node has it now; what was missed is made good. At once: what the node says next builds upon it. */
  function meet({ peers }: Snapshot): void {
    const there = new Set(peers.map(({ peerId }) => peerId));
    for (const peerId of senders.keys()) if (!there.has(peerId)) removePeer(peerId);
    for (const peer of peers) {
      const producers = new Set(peer.producers.map(({ producerId }) => producerId));
      withReceiving((receiving) => {
        for (const remote of receiving.remotes.peek().values()) {
          if (remote.peerId === peer.peerId && !producers.has(remote.producerId)) receiving.remove(remote.producerId);
        }
      });
      addPeer(peer);
    }
  }

  /** After a connection was lost: what the node has of ours. At once, too: whatever is asked for next depends on it. */
  function comeBack({ consumers, peer, transports }: Snapshot, { receiving, sending, transports: ours }: Media): void {
    const kept = new Set(transports.map(({ transportId }) => transportId));
    if (ours.some(({ id }) => !kept.has(id))) {
      over({ kind: "dead" });
      return;
    }
    receiving.compare(new Map(consumers.map(({ consumerId, paused }) => [consumerId, { paused }])));
    sending.compare(new Map(peer.producers.map(({ producerId, source, paused }) => [producerId, { source, paused }])));
    events.here();
  }

  async function setUp({ rtpCapabilities, transports }: Snapshot): Promise<void> {
    const [device] = await Promise.all([
      deps.createDevice(),
      // Of an attempt whose answers were lost.
      ...transports.map(({ transportId }) => link.request("transport:close", { transportId })),
    ]);
    await device.load({ routerRtpCapabilities: rtpCapabilities as types.RtpCapabilities });
    const [toSend, toReceive] = await Promise.all([
      link.request("transport", { direction: "send" }),
      link.request("transport", { direction: "recv", rtpCapabilities: device.recvRtpCapabilities as never }),
    ]);
    if (closed) return;
    const options = ({ transportId, ...parameters }: typeof toSend) =>
      ({
        id: transportId,
        ...parameters,
        iceServers: joined.iceServers,
        iceTransportPolicy: joined.iceTransportPolicy,
        additionalSettings: crypto.connectionOptions,
      }) as types.TransportOptions;
    const send = device.createSendTransport(options(toSend));
    const receive = device.createRecvTransport(options(toReceive));
    for (const transport of [send, receive]) {
      transport.on("connect", ({ dtlsParameters }, done, failed) => {
        void answer(
          link.request("transport:connect", { transportId: transport.id, dtlsParameters }),
          () => done(),
          (error) => {
            failed(error);
            // Whether the node has heard it is not known, and it takes it once only: begun anew.
            if (isAway(error)) over({ kind: "dead" });
          },
        );
      });
    }
    send.on("produce", ({ kind, rtpParameters, appData }, done, failed) => {
      const { source, paused } = appData as { source: Source; paused: boolean };
      void answer(
        link.request("produce", { transportId: send.id, source, kind, rtpParameters: rtpParameters as never, paused }),
        ({ producerId }) => done({ id: producerId }),
        failed,
      );
    });
    const paths = [send, receive].map((transport) =>
      keepPath(transport, { link, clock, dead: (was) => over({ kind: was ? "dead" : "unreachable" }) }),
    );
    const receiving = createReceiving({
      link,
      transport: receive,
      stayOf: deps.stayOf,
      attach: (receiver, source, stay) => crypto.attachReceiver(receiver, source, stay),
    });
    const sending = createSending({
      link,
      device,
      transport: send,
      attach: (sender, source, codec) => crypto.attachSender(sender, source, codec),
      failed: events.sendFailed,
    });
    media = {
      sending,
      receiving,
      transports: [send, receive],
      restart: () => {
        for (const path of paths) path.restart();
      },
      close() {
        for (const path of paths) path.close();
        send.close();
        receive.close();
      },
    };
    listen();
    receiving.see(page.visible());
    stops.push(
      page.onChange(() => receiving.see(page.visible())),
      receiving.remotes.subscribe((now) => (remotes.value = now)),
    );
    for (const task of waiting) task(receiving);
    waiting = [];
    for (const [source, sent] of wishes) sending.wish(source, sent);
  }

  function over(end: RoomEnd): void {
    if (closed) return;
    close();
    events.over(end);
  }

  function close(): void {
    closed = true;
    link.close();
    for (const stop of stops) stop();
    media?.close();
    speakers.value = new Set();
    remotes.value = new Map();
  }

  return {
    remotes,
    speakers,
    selfId,
    rights,
    send(source, sent) {
      wishes.set(source, sent);
      media?.sending.wish(source, sent);
    },
    hear(on) {
      hearing = on;
      listen();
    },
    watch: (producerId, widthPx, apart) => media?.receiving.watch(producerId, widthPx, apart) ?? (() => undefined),
    reconsider: () => media?.receiving.reconsider(),
    async measure() {
      if (media === undefined || closed) return { reports: [], tracks: new Map() };
      const reports = await Promise.all(media.transports.map((transport) => transport.getStats()));
      const tracks = new Map(
        [...media.receiving.consumers()].map(([producerId, { track }]) => [track.id, producerId] as const),
      );
      return { reports, tracks };
    },
    leave() {
      if (closed) return;
      link.request("leave", {}).catch(() => undefined);
      close();
    },
    close,
  };
}

function isAway(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "unavailable";
}

/** mediasoup-client asks by callbacks. */
async function answer<T>(asked: Promise<T>, done: (value: T) => void, failed: (error: Error) => void): Promise<void> {
  let value: T;
  try {
    value = await asked;
  } catch (error) {
    failed(error instanceof Error ? error : new Error(String(error)));
    return;
  }
  done(value);
}
