import { randomBytes, randomUUID } from "node:crypto";
import type { DeviceId } from "@lescopains/protocol/device-list";
import type { ChannelId, JoinId, SessionId, UserId } from "@lescopains/protocol/ids";
import type { SfuEvent, SfuEventBody } from "@lescopains/protocol/sfu/events";
import type { MediaId, MediaKind, RtpCapabilities, Source } from "@lescopains/protocol/sfu/media";
import type { Presence } from "@lescopains/protocol/sfu/registry";
import type { CloseReason, Peer as PeerView, PeerId, Snapshot } from "@lescopains/protocol/sfu/room";
import { RIGHT_OF, type Right, type RoomClaims } from "@lescopains/protocol/sfu/token";
import type {
  MediaConsumer,
  MediaDataConsumer,
  MediaDataProducer,
  MediaProducer,
  MediaTransport,
  TransportState,
} from "../media/port.ts";
import type { Seat } from "./room.ts";

export interface OpenTransport {
  readonly transport: MediaTransport;
  readonly direction: "send" | "recv";
  /** Of one that receives. */
  readonly rtpCapabilities: RtpCapabilities | undefined;
  state: TransportState | "new";
}

export interface OpenProducer {
  readonly producer: MediaProducer;
  readonly source: Source;
  readonly transportId: MediaId;
  /** What its owner wants. */
  wantsPause: boolean;
  /** What is so: also without the right. */
  paused: boolean;
}

export interface OpenConsumer {
  readonly consumer: MediaConsumer;
  readonly producerId: MediaId;
  readonly transportId: MediaId;
  /** What its owner wants. */
  wantsPause: boolean;
  /** What is so: also without the right. */
  paused: boolean;
}

export interface OpenDataProducer {
  readonly producer: MediaDataProducer;
  readonly transportId: MediaId;
  readonly label: string;
}

export interface OpenDataConsumer {
  readonly consumer: MediaDataConsumer;
  readonly transportId: MediaId;
  readonly dataProducerId: MediaId;
}

/** A client's connection, as a peer sees it. */
export interface Link {
  send<E extends SfuEvent>(event: E, body: SfuEventBody<E>): void;
  /** For good; what was sent before still arrives. */
  end(): void;
}

/** One device of one person in one room: who they are, what they may, and what they have open. */
export class Peer {
  readonly id: PeerId = randomUUID();
  readonly resumeKey: string = randomBytes(24).toString("base64url");
  readonly userId: UserId;
  readonly deviceId: DeviceId | null;
  readonly sessionId: SessionId;
  readonly joinId: JoinId;
  readonly roomId: ChannelId;
  readonly seat: Seat;
  rights: ReadonlySet<Right>;
  readonly transports = new Map<MediaId, OpenTransport>();
  readonly producers = new Map<MediaId, OpenProducer>();
  readonly consumers = new Map<MediaId, OpenConsumer>();
  readonly dataProducers = new Map<MediaId, OpenDataProducer>();
  readonly dataConsumers = new Map<MediaId, OpenDataConsumer>();
  #leftFor: CloseReason | undefined;
  readonly #onLeave = new Set<() => void>();
  #link: Link | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(claims: RoomClaims, seat: Seat) {
    this.userId = claims.sub;
    this.deviceId = claims.did;
    this.sessionId = claims.sid;
    this.joinId = claims.joinId;
    this.roomId = claims.room;
    this.rights = new Set(claims.rights);
    this.seat = seat;
  }

  /** Why it left; undefined while it is there. */
  get leftFor(): CloseReason | undefined {
    return this.#leftFor;
  }

  /** Called once, when it has left. */
  onLeave(listener: () => void): void {
    this.#onLeave.add(listener);
  }

  /** By its room: nothing of it is forwarded any more, and its client is told. */
  end(reason: CloseReason, channelId?: ChannelId): void {
    this.#leftFor = reason;
    for (const { transport } of this.transports.values()) transport.close();
    this.send("closed", channelId === undefined ? { reason } : { reason, channelId });
    this.#link?.end();
    for (const listener of this.#onLeave) listener();
  }

  /** From now on events go here. The connection before, if it is still there, ends. */
  attach(link: Link): void {
    const before = this.#link;
    this.#link = link;
    before?.end();
  }

  /** This connection is gone; false when another has long taken its place. */
  detach(link: Link): boolean {
    if (this.#link !== link) return false;
    this.#link = undefined;
    return true;
  }

  send<E extends SfuEvent>(event: E, body: SfuEventBody<E>): void {
    this.#link?.send(event, body);
  }

  /** Runs one request after the other: limits and states then need no locks. */
  inTurn<T>(request: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(request);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  may(source: Source): boolean {
    return this.rights.has(RIGHT_OF[source]);
  }

  mayReceive(kind: MediaKind): boolean {
    return kind === "video" || this.rights.has("listen");
  }

  sources(): Source[] {
    return [...this.producers.values()].filter(({ paused }) => !paused).map(({ source }) => source);
  }

  presence(): Presence {
    const { id, joinId, userId, deviceId, sessionId } = this;
    return { peerId: id, joinId, userId, deviceId, sessionId, sources: this.sources() };
  }

  /** As others see it. */
  view(): PeerView {
    return {
      peerId: this.id,
      userId: this.userId,
      deviceId: this.deviceId,
      producers: [...this.producers.values()].map(({ producer, source, paused }) => ({
        producerId: producer.id,
        source,
        kind: producer.kind,
        paused,
      })),
      dataProducers: [...this.dataProducers.values()].map(({ producer, label }) => ({
        dataProducerId: producer.id,
        label,
      })),
    };
  }

  /** What it has open, as it is told after a reconnect. */
  belongings(): Pick<Snapshot, "transports" | "consumers" | "dataConsumers"> {
    return {
      transports: [...this.transports.values()].map(({ transport, direction }) => ({
        transportId: transport.id,
        direction,
      })),
      consumers: [...this.consumers.values()].map(({ consumer, producerId, paused }) => ({
        consumerId: consumer.id,
        producerId,
        paused,
      })),
      dataConsumers: [...this.dataConsumers.values()].map(({ consumer, dataProducerId }) => ({
        dataConsumerId: consumer.id,
        dataProducerId,
      })),
    };
  }
}
