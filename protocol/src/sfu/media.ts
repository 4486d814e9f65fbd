import * as v from "valibot";
import { SFU_LIMITS } from "./limits.ts";

/** The descriptions that WebRTC endpoints exchange, as mediasoup and mediasoup-client write them, with bounds on every list and text. */

export const MediaKind = v.picklist(["audio", "video"]);
export type MediaKind = v.InferOutput<typeof MediaKind>;

/** What a track is. It is bound to the producer and, in encrypted rooms, into the frame key. */
export const Source = v.picklist(["audio", "camera", "screen", "screen-audio"]);
export type Source = v.InferOutput<typeof Source>;

export const SOURCE_KINDS: Readonly<Record<Source, MediaKind>> = {
  audio: "audio",
  camera: "video",
  screen: "video",
  "screen-audio": "audio",
};

function short(max = 128) {
  return v.pipe(v.string(), v.minLength(1), v.maxLength(max));
}
function list<T extends v.GenericSchema>(item: T, max: number) {
  return v.pipe(v.array(item), v.maxLength(max));
}
function whole(min: number, max: number) {
  return v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
}

/** An id that mediasoup made: a UUID. */
export const MediaId = v.pipe(v.string(), v.length(36), v.regex(/^[0-9a-f-]{36}$/, "not an id of this node"));
export type MediaId = v.InferOutput<typeof MediaId>;

const Parameters = v.pipe(
  v.record(short(64), v.union([v.pipe(v.string(), v.maxLength(512)), v.number(), v.boolean(), v.null()])),
  v.check((all) => Object.keys(all).length <= 32, "too many parameters"),
);
const RtcpFeedback = v.object({
  type: short(32),
  parameter: v.optional(v.pipe(v.string(), v.maxLength(32))),
});
const PayloadType = whole(0, 127);
const MimeType = v.pipe(v.string(), v.maxLength(64), v.regex(/^(audio|video)\/[\w.+-]+$/i, "not a codec"));
const ExtensionUri = short(128);
const Ssrc = whole(0, 0xff_ff_ff_ff);

export const RtpCapabilities = v.object({
  codecs: v.optional(
    list(
      v.object({
        kind: MediaKind,
        mimeType: MimeType,
        preferredPayloadType: PayloadType,
        clockRate: whole(1, 384_000),
        channels: v.optional(whole(1, 8)),
        parameters: v.optional(Parameters),
        rtcpFeedback: v.optional(list(RtcpFeedback, 16)),
      }),
      SFU_LIMITS.codecs,
    ),
  ),
  headerExtensions: v.optional(
    list(
      v.object({
        kind: MediaKind,
        uri: ExtensionUri,
        preferredId: whole(1, 255),
        preferredEncrypt: v.optional(v.boolean()),
        direction: v.optional(v.picklist(["sendrecv", "sendonly", "recvonly", "inactive"])),
      }),
      SFU_LIMITS.headerExtensions,
    ),
  ),
});
export type RtpCapabilities = v.InferOutput<typeof RtpCapabilities>;

export const RtpParameters = v.object({
  mid: v.optional(short(32)),
  codecs: v.pipe(
    list(
      v.object({
        mimeType: MimeType,
        payloadType: PayloadType,
        clockRate: whole(1, 384_000),
        channels: v.optional(whole(1, 8)),
        parameters: v.optional(Parameters),
        rtcpFeedback: v.optional(list(RtcpFeedback, 16)),
      }),
      SFU_LIMITS.codecs,
    ),
    v.minLength(1),
  ),
  headerExtensions: v.optional(
    list(
      v.object({
        uri: ExtensionUri,
        id: whole(1, 255),
        encrypt: v.optional(v.boolean()),
        parameters: v.optional(Parameters),
      }),
      SFU_LIMITS.headerExtensions,
    ),
  ),
  encodings: v.optional(
    list(
      v.object({
        ssrc: v.optional(Ssrc),
        rid: v.optional(short(32)),
        codecPayloadType: v.optional(PayloadType),
        rtx: v.optional(v.object({ ssrc: Ssrc })),
        dtx: v.optional(v.boolean()),
        scalabilityMode: v.optional(
          v.pipe(v.string(), v.regex(/^[LS][1-3]T[1-3](_KEY)?$/, "at most 3 spatial and 3 temporal layers")),
        ),
        maxBitrate: v.optional(whole(0, 1_000_000_000)),
      }),
      SFU_LIMITS.encodings,
    ),
  ),
  rtcp: v.optional(
    v.object({
      cname: v.optional(v.pipe(v.string(), v.maxLength(255))),
      reducedSize: v.optional(v.boolean()),
    }),
  ),
  msid: v.optional(v.pipe(v.string(), v.maxLength(255))),
});
export type RtpParameters = v.InferOutput<typeof RtpParameters>;

export const DtlsParameters = v.object({
  role: v.optional(v.picklist(["auto", "client", "server"])),
  fingerprints: v.pipe(
    list(
      v.object({
        algorithm: v.picklist(["sha-1", "sha-224", "sha-256", "sha-384", "sha-512"]),
        value: v.pipe(
          v.string(),
          v.maxLength(191),
          v.regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){19,63}$/i, "not a fingerprint"),
        ),
      }),
      8,
    ),
    v.minLength(1),
  ),
});
export type DtlsParameters = v.InferOutput<typeof DtlsParameters>;

export const IceParameters = v.object({
  usernameFragment: v.string(),
  password: v.string(),
  iceLite: v.optional(v.boolean()),
});
export type IceParameters = v.InferOutput<typeof IceParameters>;

export const IceCandidate = v.object({
  foundation: v.string(),
  priority: v.number(),
  ip: v.string(),
  address: v.string(),
  protocol: v.picklist(["udp", "tcp"]),
  port: v.number(),
  type: v.literal("host"),
  tcpType: v.optional(v.literal("passive")),
});
export type IceCandidate = v.InferOutput<typeof IceCandidate>;

export const SctpParameters = v.object({
  port: v.number(),
  maxSendMessageSize: v.number(),
  maxReceiveMessageSize: v.number(),
  OS: v.optional(v.number()),
  MIS: v.optional(v.number()),
  maxMessageSize: v.optional(v.number()),
});
export type SctpParameters = v.InferOutput<typeof SctpParameters>;

/** How a transport of the node is reached; what mediasoup-client's `createSendTransport` and `createRecvTransport` take. */
export const TransportParameters = v.object({
  iceParameters: IceParameters,
  iceCandidates: v.array(IceCandidate),
  dtlsParameters: DtlsParameters,
  sctpParameters: SctpParameters,
});
export type TransportParameters = v.InferOutput<typeof TransportParameters>;

export const SctpStreamParameters = v.pipe(
  v.object({
    streamId: whole(0, 65_534),
    ordered: v.optional(v.boolean()),
    maxPacketLifeTime: v.optional(whole(1, 65_535)),
    maxRetransmits: v.optional(whole(0, 65_535)),
  }),
  v.check(
    ({ maxPacketLifeTime, maxRetransmits }) => maxPacketLifeTime === undefined || maxRetransmits === undefined,
    "a life time or a number of retransmissions, not both",
  ),
);
export type SctpStreamParameters = v.InferOutput<typeof SctpStreamParameters>;

/** 0 is the smallest picture and the lowest frame rate. */
export const Layers = v.object({ spatialLayer: whole(0, 2), temporalLayer: v.optional(whole(0, 2)) });
export type Layers = v.InferOutput<typeof Layers>;

export const ConsumerType = v.picklist(["simple", "simulcast", "svc"]);
export type ConsumerType = v.InferOutput<typeof ConsumerType>;

/** What a room carries. In encrypted rooms only what whole-frame encryption passes: no H264, no AV1, no RED. */
export const ROOM_CODECS = {
  encrypted: ["audio/opus", "video/VP8", "video/VP9"],
  plain: ["audio/opus", "video/VP8", "video/VP9", "video/H264"],
} as const;
export type CodecName = (typeof ROOM_CODECS)["plain"][number];
