import type {
  CodecName,
  ConsumerType,
  DtlsParameters,
  IceParameters,
  Layers,
  MediaId,
  MediaKind,
  RtpCapabilities,
  RtpParameters,
  SctpStreamParameters,
  TransportParameters,
} from "@lescopains/protocol/sfu/media";
import type { Outcome } from "@lescopains/protocol/outcome";

/**
 * What rooms need of a media engine. `mediasoup.ts` is the real one, `fake.ts` has no network; `contract.ts` holds for both.
 *
 * Who closes whom: worker → routers → transports → producers, consumers, data producers, data consumers; and a producer closes its
 * consumers, on every router it is piped to. What is closed refuses with `not_found`; closing twice is closing once.
 */
export interface MediaEngine {
  /** `index`: 0, 1, 2 …: a worker has ports of its own, and one that takes the place of another has the same. */
  startWorker(index: number): Promise<MediaWorker>;
}

/** A process that forwards media. */
export interface MediaWorker {
  readonly pid: number;
  /** Resolves when the process ended and nobody had closed it. */
  readonly died: Promise<void>;
  createRouter(options: RouterOptions): Promise<MediaRouter>;
  /** Processor time so far, in milliseconds. */
  cpuMs(): Promise<number>;
  close(): void;
}

export interface RouterOptions {
  readonly codecs: readonly CodecName[];
  /** Who is heard now, the loudest first, in dBov (-127 to 0); empty when it turns silent. */
  readonly onSpeakers: (speakers: readonly Speaker[]) => void;
}

export interface Speaker {
  readonly producerId: MediaId;
  readonly level: number;
}

/** One room on one worker. */
export interface MediaRouter {
  readonly rtpCapabilities: RtpCapabilities;
  createTransport(options: TransportOptions): Promise<Outcome<MediaTransport>>;
  /** Makes a producer of this router available on one of another worker, under the same id. Asked twice, it is done once. */
  pipe(producerId: MediaId, target: MediaRouter): Promise<Outcome<undefined>>;
  pipeData(dataProducerId: MediaId, target: MediaRouter): Promise<Outcome<undefined>>;
  close(): void;
}

/** `disconnected`: no sign of life, it may come back; `failed`: it will not by itself. */
export type TransportState = "connected" | "disconnected" | "failed";

export interface TransportOptions {
  readonly tcpOnly: boolean;
  readonly onState: (state: TransportState) => void;
}

export interface TransportStats {
  readonly bitrateIn: number;
  readonly bitrateOut: number;
}

/** How well packets pass, by RTCP reports; undefined while there is none. */
export interface PassageStats {
  /** Share of packets lost of late, 0 to 1. */
  readonly loss: number | undefined;
  readonly roundTripMs: number | undefined;
}

export interface MediaTransport {
  readonly id: MediaId;
  readonly parameters: TransportParameters;
  /** Once. */
  connect(dtlsParameters: DtlsParameters): Promise<Outcome<undefined>>;
  restartIce(): Promise<Outcome<IceParameters>>;
  produce(options: ProduceOptions): Promise<Outcome<MediaProducer>>;
  /** The consumer is paused. */
  consume(options: ConsumeOptions): Promise<Outcome<MediaConsumer>>;
  produceData(options: ProduceDataOptions): Promise<Outcome<MediaDataProducer>>;
  consumeData(options: ConsumeDataOptions): Promise<Outcome<MediaDataConsumer>>;
  stats(): Promise<TransportStats>;
  close(): void;
}

export interface ProduceOptions {
  readonly kind: MediaKind;
  readonly rtpParameters: RtpParameters;
  readonly paused: boolean;
}

export interface MediaProducer {
  readonly id: MediaId;
  readonly kind: MediaKind;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Of its way here. */
  passage(): Promise<PassageStats>;
  close(): void;
}

export interface ConsumeOptions {
  readonly producerId: MediaId;
  readonly rtpCapabilities: RtpCapabilities;
  readonly layers: Layers | undefined;
  /** Its producer closed, and so did it. */
  readonly onClosed: () => void;
  /** Which layers are sent; null: none. */
  readonly onLayers: (layers: Layers | null) => void;
}

export interface MediaConsumer {
  readonly id: MediaId;
  readonly kind: MediaKind;
  readonly type: ConsumerType;
  readonly rtpParameters: RtpParameters;
  pause(): Promise<void>;
  resume(): Promise<void>;
  setLayers(layers: Layers): Promise<void>;
  /** 1 to 255: who gets bandwidth first. */
  setPriority(priority: number): Promise<void>;
  requestKeyFrame(): Promise<void>;
  /** Of its way to whoever receives it. */
  passage(): Promise<PassageStats>;
  close(): void;
}

export interface ProduceDataOptions {
  readonly sctpStreamParameters: SctpStreamParameters;
  readonly label: string;
}

export interface MediaDataProducer {
  readonly id: MediaId;
  close(): void;
}

export interface ConsumeDataOptions {
  readonly dataProducerId: MediaId;
  readonly onClosed: () => void;
}

export interface MediaDataConsumer {
  readonly id: MediaId;
  readonly sctpStreamParameters: SctpStreamParameters;
  close(): void;
}
