import type {
  DtlsParameters,
  IceParameters,
  Layers,
  MediaId,
  RtpParameters,
  SctpStreamParameters,
  TransportParameters,
} from "@lescopains/protocol/sfu/media";
import type {
  AudioLevelObserver,
  Consumer,
  Producer,
  RtpCapabilities as MediasoupRtpCapabilities,
  RtpParameters as MediasoupRtpParameters,
  WebRtcTransport,
} from "mediasoup/types";
import { type Outcome, ok } from "@lescopains/protocol/outcome";
import type {
  ConsumeDataOptions,
  ConsumeOptions,
  MediaConsumer,
  MediaDataConsumer,
  MediaDataProducer,
  MediaProducer,
  MediaTransport,
  PassageStats,
  ProduceDataOptions,
  ProduceOptions,
  TransportState,
  TransportStats,
} from "./port.ts";
import { attempt, unlessClosed } from "./refusals.ts";

export class MediasoupTransport implements MediaTransport {
  readonly #transport: WebRtcTransport;
  readonly #levels: AudioLevelObserver;
  readonly #isClosed = (): boolean => this.#transport.closed;

  constructor(transport: WebRtcTransport, levels: AudioLevelObserver, onState: (state: TransportState) => void) {
    this.#transport = transport;
    this.#levels = levels;
    transport.on("dtlsstatechange", (state) => {
      if (state === "connected") onState("connected");
      // A browser that leaves says so by DTLS: nothing will come from it any more.
      if (state === "failed" || state === "closed") onState("failed");
    });
    transport.on("icestatechange", (state) => {
      if (state === "disconnected") onState("disconnected");
      if (state === "connected" || state === "completed") {
        if (transport.dtlsState === "connected") onState("connected");
      }
    });
  }

  get id(): MediaId {
    return this.#transport.id;
  }

  get parameters(): TransportParameters {
    const { iceParameters, iceCandidates, dtlsParameters, sctpParameters } = this.#transport;
    if (sctpParameters === undefined) throw new Error("a transport without SCTP");
    return { iceParameters, iceCandidates, dtlsParameters, sctpParameters };
  }

  async connect(dtlsParameters: DtlsParameters): Promise<Outcome<undefined>> {
    const connected = await attempt(this.#isClosed, () =>
      this.#transport.connect({ dtlsParameters: dtlsParameters as WebRtcTransport["dtlsParameters"] }),
    );
    return connected.ok ? ok() : connected;
  }

  restartIce(): Promise<Outcome<IceParameters>> {
    return attempt(this.#isClosed, () => this.#transport.restartIce());
  }

  async produce({ kind, rtpParameters, paused }: ProduceOptions): Promise<Outcome<MediaProducer>> {
    return attempt(this.#isClosed, async () => {
      const producer = await this.#transport.produce({
        kind,
        rtpParameters: rtpParameters as MediasoupRtpParameters,
        paused,
      });
      if (kind === "audio") await this.#levels.addProducer({ producerId: producer.id });
      return producerOf(producer);
    });
  }

  async consume(options: ConsumeOptions): Promise<Outcome<MediaConsumer>> {
    const { producerId, layers, onClosed, onLayers } = options;
    const rtpCapabilities = options.rtpCapabilities as MediasoupRtpCapabilities;
    const consumed = await attempt(this.#isClosed, () =>
      this.#transport.consume({
        producerId,
        rtpCapabilities,
        paused: true,
        ...(layers === undefined ? {} : { preferredLayers: layersOf(layers) }),
      }),
    );
    if (!consumed.ok) return consumed;
    const consumer = consumed.value;
    consumer.on("producerclose", onClosed);
    consumer.on("layerschange", (current) => onLayers(current ?? null));
    return ok(consumerOf(consumer));
  }

  async produceData({ sctpStreamParameters, label }: ProduceDataOptions): Promise<Outcome<MediaDataProducer>> {
    const produced = await attempt(this.#isClosed, () =>
      this.#transport.produceData({ sctpStreamParameters: streamOf(sctpStreamParameters), label }),
    );
    if (!produced.ok) return produced;
    const producer = produced.value;
    return ok({ id: producer.id, close: () => producer.close() });
  }

  async consumeData({ dataProducerId, onClosed }: ConsumeDataOptions): Promise<Outcome<MediaDataConsumer>> {
    const consumed = await attempt(this.#isClosed, () => this.#transport.consumeData({ dataProducerId }));
    if (!consumed.ok) return consumed;
    const consumer = consumed.value;
    consumer.on("dataproducerclose", onClosed);
    const { sctpStreamParameters } = consumer;
    if (sctpStreamParameters === undefined) throw new Error("a data consumer without a stream");
    return ok({
      id: consumer.id,
      sctpStreamParameters,
      close: () => consumer.close(),
    });
  }

  async stats(): Promise<TransportStats> {
    const stats = await attempt(this.#isClosed, () => this.#transport.getStats());
    const [one] = stats.ok ? stats.value : [];
    return {
      bitrateIn: one?.recvBitrate ?? 0,
      bitrateOut: one?.sendBitrate ?? 0,
    };
  }

  close(): void {
    this.#transport.close();
  }
}

/** An optional property that is undefined, where mediasoup wants one that is absent. */
function streamOf({ streamId, ordered, maxPacketLifeTime, maxRetransmits }: SctpStreamParameters) {
  return {
    streamId,
    ...(ordered === undefined ? {} : { ordered }),
    ...(maxPacketLifeTime === undefined ? {} : { maxPacketLifeTime }),
    ...(maxRetransmits === undefined ? {} : { maxRetransmits }),
  };
}

function layersOf({ spatialLayer, temporalLayer }: Layers) {
  return { spatialLayer, ...(temporalLayer === undefined ? {} : { temporalLayer }) };
}

function producerOf(producer: Producer): MediaProducer {
  const isClosed = (): boolean => producer.closed;
  return {
    id: producer.id,
    kind: producer.kind,
    pause: () => unlessClosed(isClosed, () => producer.pause()),
    resume: () => unlessClosed(isClosed, () => producer.resume()),
    passage: async () => {
      const stats = await attempt(isClosed, () => producer.getStats());
      return passageOf(stats.ok ? stats.value : []);
    },
    close: () => producer.close(),
  };
}

function consumerOf(consumer: Consumer): MediaConsumer {
  const isClosed = (): boolean => consumer.closed;
  return {
    id: consumer.id,
    kind: consumer.kind,
    type: consumer.type === "pipe" ? "simple" : consumer.type,
    rtpParameters: consumer.rtpParameters as RtpParameters,
    pause: () => unlessClosed(isClosed, () => consumer.pause()),
    resume: () => unlessClosed(isClosed, () => consumer.resume()),
    setLayers: (layers) => unlessClosed(isClosed, () => consumer.setPreferredLayers(layersOf(layers))),
    setPriority: (priority) => unlessClosed(isClosed, () => consumer.setPriority(priority)),
    requestKeyFrame: () => unlessClosed(isClosed, () => consumer.requestKeyFrame()),
    passage: async () => {
      const stats = await attempt(isClosed, () => consumer.getStats());
      // The other entries are of the producer's way here.
      return passageOf(stats.ok ? stats.value.filter(({ type }) => type === "outbound-rtp") : []);
    },
    close: () => consumer.close(),
  };
}

/** Of streams that carry something: a transport's own count of losses needs an extension that browsers offer for video only. */
function passageOf(
  streams: readonly { fractionLost: number; packetCount: number; roundTripTime?: number }[],
): PassageStats {
  const carrying = streams.filter(({ packetCount }) => packetCount > 0);
  const lost = carrying.map(({ fractionLost }) => fractionLost / 256);
  // 0 until a report came back.
  const measured = carrying.find(({ roundTripTime = 0 }) => roundTripTime > 0);
  return {
    loss: lost.length === 0 ? undefined : lost.reduce((sum, one) => sum + one, 0) / lost.length,
    roundTripMs: measured?.roundTripTime,
  };
}
