import type { RtpCapabilities, RtpParameters } from "@lescopains/protocol/sfu/media";

/** What a browser says about a microphone, and about a camera with three sizes: for tests. */
export function opusParameters(ssrc = 1_111, mid = "0"): RtpParameters {
  return {
    mid,
    codecs: [
      { mimeType: "audio/opus", payloadType: 111, clockRate: 48_000, channels: 2, parameters: { useinbandfec: 1 } },
    ],
    headerExtensions: [{ uri: "urn:ietf:params:rtp-hdrext:ssrc-audio-level", id: 10 }],
    encodings: [{ ssrc, dtx: true }],
    rtcp: { cname: "sample" },
  };
}

export function videoParameters(mimeType = "video/VP8", mid = "1"): RtpParameters {
  return {
    mid,
    codecs: [
      {
        mimeType,
        payloadType: 96,
        clockRate: 90_000,
        rtcpFeedback: [{ type: "nack" }, { type: "nack", parameter: "pli" }],
      },
      { mimeType: "video/rtx", payloadType: 97, clockRate: 90_000, parameters: { apt: 96 } },
    ],
    headerExtensions: [
      { uri: "urn:ietf:params:rtp-hdrext:sdes:mid", id: 1 },
      { uri: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", id: 2 },
    ],
    encodings: ["r0", "r1", "r2"].map((rid) => ({ rid, scalabilityMode: "L1T3" })),
    rtcp: { cname: "sample" },
  };
}

/** A screen in VP9: one stream that holds three sizes. */
export function svcParameters(ssrc = 2_222, mid = "2"): RtpParameters {
  return {
    ...videoParameters("video/VP9", mid),
    encodings: [{ ssrc, rtx: { ssrc: ssrc + 1 }, scalabilityMode: "L3T3_KEY" }],
  };
}

/** Capabilities that receive only sound. */
export function soundOnly(all: RtpCapabilities): RtpCapabilities {
  return { ...all, codecs: (all.codecs ?? []).filter(({ kind }) => kind === "audio") };
}
