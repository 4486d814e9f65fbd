import type { CodecName } from "@lescopains/protocol/sfu/media";
import type { RouterRtpCodecCapability } from "mediasoup/types";

const CODECS: Readonly<Record<CodecName, RouterRtpCodecCapability>> = {
  "audio/opus": { kind: "audio", mimeType: "audio/opus", clockRate: 48_000, channels: 2 },
  "video/VP8": { kind: "video", mimeType: "video/VP8", clockRate: 90_000 },
  "video/VP9": { kind: "video", mimeType: "video/VP9", clockRate: 90_000, parameters: { "profile-id": 0 } },
  "video/H264": {
    kind: "video",
    mimeType: "video/H264",
    clockRate: 90_000,
    // Constrained baseline 3.1: what every browser that has H264 at all can do.
    parameters: { "packetization-mode": 1, "profile-level-id": "42e01f", "level-asymmetry-allowed": 1 },
  },
};

/** Codecs as mediasoup describes them, in order of preference. */
export function codecCapabilities(names: readonly CodecName[]): RouterRtpCodecCapability[] {
  return names.map((name) => structuredClone(CODECS[name]));
}
