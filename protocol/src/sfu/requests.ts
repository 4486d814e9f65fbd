import * as v from "valibot";
import { ErrorBody } from "../errors.ts";
import { SFU_LIMITS } from "./limits.ts";
import {
  ConsumerType,
  DtlsParameters,
  IceParameters,
  Layers,
  MediaId,
  MediaKind,
  RtpCapabilities,
  RtpParameters,
  SctpStreamParameters,
  Source,
  SOURCE_KINDS,
  TransportParameters,
} from "./media.ts";
import { Snapshot } from "./room.ts";

const Nothing = v.object({});
const OfTransport = v.object({ transportId: MediaId });
const OfProducer = v.object({ producerId: MediaId });
const OfConsumer = v.object({ consumerId: MediaId });

/** A source is one kind of media, and its codecs are of that kind. */
function kindsAgree({
  source,
  kind,
  rtpParameters,
}: {
  source: Source;
  kind: MediaKind;
  rtpParameters: RtpParameters;
}) {
  const ofKind = ({ mimeType }: { mimeType: string }) => mimeType.toLowerCase().startsWith(`${kind}/`);
  return SOURCE_KINDS[source] === kind && rtpParameters.codecs.every(ofKind);
}

/**
 * What a client asks of the node: name → body and answer. By Socket.IO an event with an acknowledgement
 * `{ok: true, …}` or `{ok: false, error}`; over HTTP `POST /sfu/<name>` with `:` as `/`, answered like REST.
 */
export const SFU_REQUESTS = {
  transport: {
    body: v.pipe(
      v.object({
        direction: v.picklist(["send", "recv"]),
        /** For networks that let no UDP through. */
        tcpOnly: v.optional(v.boolean(), false),
        /** What can be received; with `recv`. */
        rtpCapabilities: v.optional(RtpCapabilities),
      }),
      v.check(
        ({ direction, rtpCapabilities }) => (direction === "recv") === (rtpCapabilities !== undefined),
        "rtpCapabilities belong to recv",
      ),
    ),
    answer: v.object({ transportId: MediaId, ...TransportParameters.entries }),
  },
  "transport:connect": { body: v.object({ transportId: MediaId, dtlsParameters: DtlsParameters }), answer: Nothing },
  "transport:restart-ice": { body: OfTransport, answer: v.object({ iceParameters: IceParameters }) },
  "transport:close": { body: OfTransport, answer: Nothing },
  produce: {
    body: v.pipe(
      v.object({
        transportId: MediaId,
        source: Source,
        kind: MediaKind,
        rtpParameters: RtpParameters,
        paused: v.optional(v.boolean(), false),
      }),
      v.check((body) => kindsAgree(body), "source, kind and codecs do not belong together"),
    ),
    answer: v.object({ producerId: MediaId }),
  },
  "producer:pause": { body: OfProducer, answer: Nothing },
  "producer:resume": { body: OfProducer, answer: Nothing },
  "producer:close": { body: OfProducer, answer: Nothing },
  /** The consumer is paused until `consumer:resume`. */
  consume: {
    body: v.object({ transportId: MediaId, producerId: MediaId, layers: v.optional(Layers) }),
    answer: v.object({
      consumerId: MediaId,
      producerId: MediaId,
      kind: MediaKind,
      type: ConsumerType,
      rtpParameters: RtpParameters,
      producerPaused: v.boolean(),
    }),
  },
  "consumer:pause": { body: OfConsumer, answer: Nothing },
  "consumer:resume": { body: OfConsumer, answer: Nothing },
  "consumer:close": { body: OfConsumer, answer: Nothing },
  "consumer:layers": { body: v.object({ consumerId: MediaId, ...Layers.entries }), answer: Nothing },
  /** Who gets bandwidth first: 1 (the least) to 255. */
  "consumer:priority": {
    body: v.object({ consumerId: MediaId, priority: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(255)) }),
    answer: Nothing,
  },
  "consumer:keyframe": { body: OfConsumer, answer: Nothing },
  "produce:data": {
    body: v.object({
      transportId: MediaId,
      sctpStreamParameters: SctpStreamParameters,
      label: v.pipe(v.string(), v.maxLength(SFU_LIMITS.labelLength)),
    }),
    answer: v.object({ dataProducerId: MediaId }),
  },
  "consume:data": {
    body: v.object({ transportId: MediaId, dataProducerId: MediaId }),
    answer: v.object({
      dataConsumerId: MediaId,
      dataProducerId: MediaId,
      sctpStreamParameters: SctpStreamParameters,
      label: v.string(),
    }),
  },
  "data-producer:close": { body: v.object({ dataProducerId: MediaId }), answer: Nothing },
  "data-consumer:close": { body: v.object({ dataConsumerId: MediaId }), answer: Nothing },
  /** The room as it is now, for clients without a socket. */
  state: { body: Nothing, answer: Snapshot },
  leave: { body: Nothing, answer: Nothing },
} as const;

export type SfuRequest = keyof typeof SFU_REQUESTS;
export type SfuBody<R extends SfuRequest> = v.InferOutput<(typeof SFU_REQUESTS)[R]["body"]>;
export type SfuAnswer<R extends SfuRequest> = v.InferOutput<(typeof SFU_REQUESTS)[R]["answer"]>;

/** What a socket's request is acknowledged with when it is refused. */
export const SfuRefused = v.object({ ok: v.literal(false), error: ErrorBody });

/** `auth` of a socket: a room token, and with it what takes a lost place back. */
export const SfuHandshake = v.object({
  token: v.pipe(v.string(), v.maxLength(2_048)),
  resumeKey: v.optional(v.pipe(v.string(), v.maxLength(64))),
});
