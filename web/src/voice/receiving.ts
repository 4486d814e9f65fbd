import type { DeviceId } from "@lescopains/protocol/device-list";
import type { UserId } from "@lescopains/protocol/ids";
import type { Layers, Source } from "@lescopains/protocol/sfu/media";
import type { PeerId, Producer } from "@lescopains/protocol/sfu/room";
import { type ReadonlySignal, signal } from "@preact/signals";
import type { types } from "mediasoup-client";
import { wanted } from "./layers.ts";
import type { SfuLink } from "./sfu-link.ts";
import { createSettling } from "./settling.ts";

/** Who sends something. */
export interface Sender {
  readonly peerId: PeerId;
  readonly userId: UserId;
  readonly deviceId: DeviceId | null;
}

/** Something that someone else sends. */
export interface Remote extends Sender {
  readonly producerId: string;
  readonly source: Source;
  /** By its sender, or for want of a right. */
  readonly paused: boolean;
  /** There once it is received. */
  readonly track: MediaStreamTrack | undefined;
}

export interface ReceivingDeps {
  readonly link: SfuLink;
  readonly transport: types.Transport;
  /** The stay of whoever sends; undefined until the list of members names it. */
  readonly stayOf: (sender: Sender) => string | undefined;
  /** Before anything of it is negotiated. */
  readonly attach: (receiver: RTCRtpReceiver, source: Source, stay: string) => void;
}

/** What one receives of others: sound always, pictures while someone looks at them. */
export interface Receiving {
  readonly remotes: ReadonlySignal<ReadonlyMap<string, Remote>>;
  readonly add: (sender: Sender, producer: Producer) => void;
  readonly setPaused: (producerId: string, paused: boolean) => void;
  readonly remove: (producerId: string) => void;
  readonly removeOf: (peerId: PeerId) => void;
  /** The node closed it. */
  readonly consumerClosed: (consumerId: string) => void;
  /** Who is here may have changed. */
  readonly reconsider: () => void;
  /** Whether sound is received at all. */
  readonly hear: (on: boolean) => void;
  /** Whether pictures are received at all: not by a page that nobody sees. */
  readonly see: (on: boolean) => void;
  /** Shown this wide, in device pixels, at one place; the answer ends it. `apart`: it is seen even if the page is not. */
  readonly watch: (producerId: string, widthPx: number, apart: boolean) => () => void;
  /** After a connection was lost: the consumers that the node has, and whether they are paused. */
  readonly compare: (known: ReadonlyMap<string, { readonly paused: boolean }>) => void;
  /** The consumers there are, for what is measured. */
  readonly consumers: () => ReadonlyMap<string, types.Consumer>;
}

interface Look {
  readonly widthPx: number;
  readonly apart: boolean;
}

const passing: ReadonlySet<unknown> = new Set(["unavailable", "forbidden"]);

export function createReceiving(deps: ReceivingDeps): Receiving {
  const { link, transport } = deps;
  const remotes = signal<ReadonlyMap<string, Remote>>(new Map());
  const lines = new Map<string, ReturnType<typeof createLine>>();
  let hearing = true;
  let seeing = true;

  function put(remote: Remote): void {
    remotes.value = new Map(remotes.peek()).set(remote.producerId, remote);
  }

  function change(producerId: string, changes: Partial<Remote>): void {
    const known = remotes.peek().get(producerId);
    if (known !== undefined) put({ ...known, ...changes });
  }

  function createLine(sender: Sender, { producerId, source, kind }: Producer) {
    const looks = new Set<Look>();
    let gone = false;
    let refused = false;
    let consumer: types.Consumer | undefined;
    /** The stay through whose keys it goes. */
    let through: string | undefined;
    /** One that the node has, and the browser is setting up. */
    let comingId: string | undefined;
    let flowing = false;
    let told: { readonly layers: Layers; readonly priority: number } | undefined;

    function widest(): number {
      return Math.max(0, ...[...looks].filter(({ apart }) => apart || seeing).map(({ widthPx }) => widthPx));
    }
    function isWanted(): boolean {
      return kind === "audio" ? hearing : widest() > 0;
    }

    async function consume(stay: string): Promise<void> {
      const answer = await link.request("consume", { transportId: transport.id, producerId });
      const { consumerId, rtpParameters } = answer;
      if (gone) {
        await link.request("consumer:close", { consumerId });
        return;
      }
      comingId = consumerId;
      through = stay;
      consumer = await transport.consume({
        id: consumerId,
        producerId,
        kind,
        rtpParameters: rtpParameters as types.RtpParameters,
        // What belongs together is played together: a face and its voice, a screen and its sound.
        streamId: `${sender.peerId}-${source.startsWith("screen") ? "screen" : "self"}`,
        onRtpReceiver: (receiver) => deps.attach(receiver, source, stay),
      });
      comingId = undefined;
      flowing = false;
      told = undefined;
      if (gone) drop();
      else change(producerId, { track: consumer.track });
    }

    function drop(): void {
      consumer?.close();
      consumer = undefined;
      change(producerId, { track: undefined });
    }

    async function step(): Promise<boolean> {
      if (gone || refused || transport.closed) return false;
      const isOn = isWanted();
      const stay = deps.stayOf(sender);
      if (consumer === undefined) {
        if (!isOn || stay === undefined) return false;
        await consume(stay);
        return true;
      }
      const consumerId = consumer.id;
      if (stay !== undefined && stay !== through) {
        // The node told of it before the list named the other stay of the same device.
        drop();
        closeThere(consumerId);
        return true;
      }
      if (isOn && kind === "video") {
        const wish = wanted(source, widest());
        if (source === "camera" && told?.layers.spatialLayer !== wish.layers.spatialLayer) {
          await link.request("consumer:layers", { consumerId, ...wish.layers });
          await link.request("consumer:priority", { consumerId, priority: wish.priority });
          told = wish;
          return true;
        }
      }
      if (flowing !== isOn) {
        await link.request(isOn ? "consumer:resume" : "consumer:pause", { consumerId });
        flowing = isOn;
        return true;
      }
      return false;
    }

    const settle = createSettling(step, (error) => {
      // What this browser cannot play, or is no longer there, is not asked for again; without a connection, or a right, it is, when there is one.
      refused = !(error instanceof Error && "code" in error && passing.has(error.code));
      if (comingId !== undefined) closeThere(comingId);
      comingId = undefined;
    });

    return {
      settle,
      looks,
      consumer: () => consumer,
      consumerId: () => consumer?.id ?? comingId,
      peerId: sender.peerId,
      close() {
        gone = true;
        drop();
      },
      lost() {
        drop();
        settle();
      },
      compare(known: ReadonlyMap<string, { readonly paused: boolean }>) {
        const there = consumer === undefined ? undefined : known.get(consumer.id);
        if (consumer !== undefined && there === undefined) drop();
        if (there !== undefined) flowing = !there.paused;
        told = undefined;
        settle();
      },
    };
  }

  /** At the node, which alone has it. Without an answer it is looked for once more when the connection is back. */
  function closeThere(consumerId: string): void {
    link.request("consumer:close", { consumerId }).catch(() => undefined);
  }

  function settleAll(): void {
    for (const line of lines.values()) line.settle();
  }

  function remove(producerId: string): void {
    lines.get(producerId)?.close();
    lines.delete(producerId);
    const left = new Map(remotes.peek());
    if (left.delete(producerId)) remotes.value = left;
  }

  return {
    remotes,
    add(sender, producer) {
      const { producerId, source, paused } = producer;
      if (lines.has(producerId)) {
        change(producerId, { paused });
        return;
      }
      const line = createLine(sender, producer);
      lines.set(producerId, line);
      put({ ...sender, producerId, source, paused, track: undefined });
      line.settle();
    },
    setPaused: (producerId, paused) => change(producerId, { paused }),
    remove,
    removeOf(peerId) {
      for (const [producerId, line] of lines) if (line.peerId === peerId) remove(producerId);
    },
    consumerClosed(consumerId) {
      for (const line of lines.values()) if (line.consumer()?.id === consumerId) line.lost();
    },
    reconsider: settleAll,
    hear(on) {
      hearing = on;
      settleAll();
    },
    see(on) {
      seeing = on;
      settleAll();
    },
    watch(producerId, widthPx, apart) {
      const line = lines.get(producerId);
      if (line === undefined) return () => undefined;
      const look = { widthPx, apart };
      line.looks.add(look);
      line.settle();
      return () => {
        line.looks.delete(look);
        line.settle();
      };
    },
    compare(known) {
      const ours = new Set([...lines.values()].map((line) => line.consumerId()));
      for (const consumerId of known.keys()) if (!ours.has(consumerId)) closeThere(consumerId);
      for (const line of lines.values()) line.compare(known);
    },
    consumers: () =>
      new Map(
        [...lines].flatMap(([producerId, line]) => {
          const consumer = line.consumer();
          return consumer === undefined ? [] : [[producerId, consumer] as const];
        }),
      ),
  };
}
