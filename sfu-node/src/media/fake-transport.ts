import { randomBytes, randomUUID } from "node:crypto";
import type {
  ConsumerType,
  DtlsParameters,
  IceParameters,
  Layers,
  MediaId,
  MediaKind,
  RtpParameters,
  TransportParameters,
} from "@lescopains/protocol/sfu/media";
import type {
  RtpCapabilities as MediasoupRtpCapabilities,
  RtpParameters as MediasoupRtpParameters,
} from "mediasoup/types";
import * as ortc from "mediasoup/ortc";
import type { FakeProducer, FakeRouter } from "./fake.ts";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";
import type {
  ConsumeDataOptions,
  ConsumeOptions,
  MediaConsumer,
  MediaDataConsumer,
  MediaDataProducer,
  MediaProducer,
  MediaTransport,
  ProduceDataOptions,
  ProduceOptions,
  TransportOptions,
  TransportState,
  TransportStats,
} from "./port.ts";
import { attempt, gone } from "./refusals.ts";

/** What a test may look at of a consumer. */
export interface FakeConsumer {
  readonly producerId: MediaId;
  paused: boolean;
  layers: Layers | undefined;
  priority: number | undefined;
  keyFrames: number;
}

const silent = { loss: undefined, roundTripMs: undefined };

function iceParameters(): IceParameters {
  return {
    usernameFragment: randomBytes(8).toString("hex"),
    password: randomBytes(16).toString("hex"),
    iceLite: true,
  };
}

export class FakeTransport implements MediaTransport {
  readonly id: MediaId;
  readonly parameters: TransportParameters;
  readonly consumers = new Map<MediaId, FakeConsumer>();
  readonly tcpOnly: boolean;
  closed = false;
  /** What `stats` answers. */
  bitrateIn = 0;
  #connected = false;
  #streams = 0;
  readonly #router: FakeRouter;
  readonly #onState: (state: TransportState) => void;
  readonly #onClose = new Set<() => void>();
  readonly #isClosed = (): boolean => this.closed;

  constructor(id: MediaId, router: FakeRouter, { tcpOnly, onState }: TransportOptions) {
    this.id = id;
    this.#router = router;
    this.#onState = onState;
    this.tcpOnly = tcpOnly;
    const candidate = { foundation: "fake", priority: 1, ip: "127.0.0.1", address: "127.0.0.1", port: 40_000 };
    const udp = { ...candidate, protocol: "udp", type: "host" } as const;
    const tcp = { ...candidate, protocol: "tcp", type: "host", tcpType: "passive" } as const;
    this.parameters = {
      iceParameters: iceParameters(),
      iceCandidates: tcpOnly ? [tcp] : [udp, tcp],
      dtlsParameters: { role: "auto", fingerprints: [{ algorithm: "sha-256", value: "00" + ":00".repeat(31) }] },
      sctpParameters: { port: 5_000, maxSendMessageSize: 16_384, maxReceiveMessageSize: 16_384 },
    };
  }

  async connect(_dtlsParameters: DtlsParameters): Promise<Outcome<undefined>> {
    if (this.closed) return gone;
    if (this.#connected) return refuse("invalid_request", "connect() already called");
    this.#connected = true;
    return ok();
  }

  async restartIce(): Promise<Outcome<IceParameters>> {
    return attempt(this.#isClosed, async () => iceParameters());
  }

  /** As if ICE and DTLS had come this far. */
  become(state: TransportState): void {
    this.#onState(state);
  }

  async produce({ kind, rtpParameters, paused }: ProduceOptions): Promise<Outcome<MediaProducer>> {
    const consumable = await attempt(this.#isClosed, async () => {
      const params = structuredClone(rtpParameters) as MediasoupRtpParameters;
      const caps = this.#router.rtpCapabilities as MediasoupRtpCapabilities;
      ortc.validateAndNormalizeRtpParameters(params);
      const mapping = ortc.getProducerRtpParametersMapping(params, caps);
      // Said by the worker, which the fake lacks.
      if ((params.encodings ?? []).length > 1 && !/vp8|h264/i.test(params.codecs[0]?.mimeType ?? "")) {
        throw new TypeError("codec not supported for simulcast");
      }
      return ortc.getConsumableRtpParameters(kind, params, caps, mapping);
    });
    if (!consumable.ok) return consumable;
    const producer = this.#add(consumable.value);
    producer.paused = paused;
    return ok({
      id: producer.id,
      kind,
      pause: async () => {
        producer.paused = true;
      },
      resume: async () => {
        producer.paused = false;
      },
      passage: async () => silent,
      close: () => closeProducer(producer),
    });
  }

  #add(consumable: FakeProducer["consumable"]): FakeProducer {
    const producer: FakeProducer = { id: randomUUID(), consumable, onClose: new Set(), paused: false, closed: false };
    this.#router.producers.set(producer.id, producer);
    producer.onClose.add(() => this.#router.producers.delete(producer.id));
    this.#onClose.add(() => closeProducer(producer));
    return producer;
  }

  async consume(options: ConsumeOptions): Promise<Outcome<MediaConsumer>> {
    const producer = this.#router.producers.get(options.producerId);
    if (this.closed) return gone;
    if (producer?.consumable === undefined) return refuse("not_found", "there is no such producer");
    const { consumable } = producer;
    const parameters = await attempt(this.#isClosed, async () => {
      const caps = structuredClone(options.rtpCapabilities) as MediasoupRtpCapabilities;
      ortc.validateAndNormalizeRtpCapabilities(caps);
      const terms = { consumableRtpParameters: consumable, remoteRtpCapabilities: caps, pipe: false, enableRtx: true };
      return ortc.getConsumerRtpParameters(terms);
    });
    if (!parameters.ok) return parameters;
    const id = randomUUID();
    const state: FakeConsumer = {
      producerId: producer.id,
      paused: true,
      layers: options.layers,
      priority: undefined,
      keyFrames: 0,
    };
    this.consumers.set(id, state);
    const closed = (): void => {
      this.consumers.delete(id);
      options.onClosed();
    };
    producer.onClose.add(closed);
    const close = (): void => {
      producer.onClose.delete(closed);
      this.consumers.delete(id);
    };
    this.#onClose.add(close);
    const kind: MediaKind = parameters.value.codecs[0]?.mimeType.startsWith("audio") === true ? "audio" : "video";
    return ok({
      id,
      kind,
      type: typeOf(consumable as RtpParameters),
      rtpParameters: parameters.value as RtpParameters,
      pause: async () => {
        state.paused = true;
      },
      resume: async () => {
        state.paused = false;
        options.onLayers(state.layers ?? null);
      },
      setLayers: async (layers) => {
        state.layers = layers;
      },
      setPriority: async (priority) => {
        state.priority = priority;
      },
      requestKeyFrame: async () => {
        state.keyFrames += 1;
      },
      passage: async () => silent,
      close,
    });
  }

  async produceData(_options: ProduceDataOptions): Promise<Outcome<MediaDataProducer>> {
    if (this.closed) return gone;
    const producer = this.#add(undefined);
    return ok({ id: producer.id, close: () => closeProducer(producer) });
  }

  async consumeData({ dataProducerId, onClosed }: ConsumeDataOptions): Promise<Outcome<MediaDataConsumer>> {
    const producer = this.#router.producers.get(dataProducerId);
    if (this.closed) return gone;
    if (producer === undefined || producer.consumable !== undefined) {
      return refuse("not_found", "there is no such data producer");
    }
    producer.onClose.add(onClosed);
    const close = (): void => {
      producer.onClose.delete(onClosed);
    };
    this.#onClose.add(close);
    this.#streams += 1;
    return ok({ id: randomUUID(), sctpStreamParameters: { streamId: this.#streams, ordered: true }, close });
  }

  async stats(): Promise<TransportStats> {
    return { bitrateIn: this.bitrateIn, bitrateOut: 0 };
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#router.transports.delete(this.id);
    for (const close of this.#onClose) close();
  }
}

/** mediasoup's rules: many streams, one stream of many sizes, or neither. */
function typeOf({ encodings = [] }: RtpParameters): ConsumerType {
  if (encodings.length > 1) return "simulcast";
  return /^[LS][23]/.test(encodings[0]?.scalabilityMode ?? "") ? "svc" : "simple";
}

function closeProducer(producer: FakeProducer): void {
  if (producer.closed) return;
  producer.closed = true;
  for (const closed of producer.onClose) closed();
}
