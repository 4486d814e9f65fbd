import type { FrameCodec } from "@lescopains/e2ee/frames/format";
import type { ErrorCode } from "@lescopains/protocol/errors";
import type { Source } from "@lescopains/protocol/sfu/media";
import type { types } from "mediasoup-client";
import type { SfuLink } from "./sfu-link.ts";
import { createSettling } from "./settling.ts";

/** What is to be sent of one source. */
export interface Sent {
  readonly track: MediaStreamTrack;
  readonly paused: boolean;
}

/** A producer of ours, as the node has it. */
export interface Known {
  readonly source: Source;
  readonly paused: boolean;
}

export interface SendingDeps {
  readonly link: SfuLink;
  readonly device: types.Device;
  readonly transport: types.Transport;
  /** Before anything of it is negotiated. */
  readonly attach: (sender: RTCRtpSender, source: Source, codec: FrameCodec) => void;
  /** It cannot be sent, and is wished for no longer; a voice without the right to speak still is. */
  readonly failed: (source: Source, error: unknown) => void;
}

/** What one sends: each source once. */
export interface Sending {
  readonly wish: (source: Source, sent: Sent | undefined) => void;
  /** After a connection was lost: what the node has of ours, by id. */
  readonly compare: (known: ReadonlyMap<string, Known>) => void;
}

const KBIT = 1_000;
/** A picture in three sizes, so that each receiver gets what it has room for. */
const CAMERA_LAYERS = [
  { scaleResolutionDownBy: 4, maxBitrate: 150 * KBIT, scalabilityMode: "L1T3" },
  { scaleResolutionDownBy: 2, maxBitrate: 500 * KBIT, scalabilityMode: "L1T3" },
  { scaleResolutionDownBy: 1, maxBitrate: 1_500 * KBIT, scalabilityMode: "L1T3" },
];

/** How a source is encoded. */
function encodingOf(
  source: Source,
  device: types.Device,
): { readonly codec: FrameCodec; readonly options: types.ProducerOptions } {
  const codecs = device.sendRtpCapabilities.codecs ?? [];
  const named = (mimeType: string): types.RtpCodecCapability | undefined =>
    codecs.find((codec) => codec.mimeType.toLowerCase() === mimeType);
  if (source === "audio" || source === "screen-audio") {
    const isVoice = source === "audio";
    return {
      codec: "opus",
      // Losses are mended from the next packet, and silence is not sent. What a screen plays is music, in stereo.
      options: {
        codecOptions: {
          opusFec: true,
          opusDtx: isVoice,
          opusStereo: !isVoice,
          opusMaxAverageBitrate: isVoice ? 48 * KBIT : 128 * KBIT,
        },
      },
    };
  }
  const vp9 = source === "screen" ? named("video/vp9") : undefined;
  const codec = vp9 ?? named("video/vp8");
  // What else there is, as H264, is not encrypted frame by frame: it stays here.
  if (codec === undefined) throw new Error("this browser encodes no picture that can be encrypted");
  const encodings = source === "screen" ? [{ maxBitrate: 2_500 * KBIT, scalabilityMode: "L1T3" }] : CAMERA_LAYERS;
  return {
    codec: vp9 === undefined ? "vp8" : "vp9",
    options: {
      encodings: encodings.map((encoding) => ({ ...encoding })),
      codecOptions: { videoGoogleStartBitrate: 600 },
      codec,
    },
  };
}

export function createSending(deps: SendingDeps): Sending {
  const { link, device, transport } = deps;
  const lines = new Map<Source, ReturnType<typeof createLine>>();

  function createLine(source: Source) {
    let wished: Sent | undefined;
    /** What the present step is for. */
    let tried: Sent | undefined;
    let producer: types.Producer | undefined;
    /** What the node was last told. */
    let toldPaused = false;
    /** Not, or no longer, one of ours here, and still open there. */
    let orphan: string | undefined;

    /** What leaves this browser is as one wishes at once, whatever the node has heard of it. */
    function follow(): void {
      if (wished === undefined) return;
      // A track that is off is a producer that mediasoup-client takes for paused, from its beginning.
      wished.track.enabled = !wished.paused;
      if (wished.paused) producer?.pause();
      else producer?.resume();
    }

    async function produce({ track, paused }: Sent): Promise<void> {
      const { codec, options } = encodingOf(source, device);
      producer = await transport.produce({
        ...options,
        track,
        // The track is its owner's: a muted microphone is not let go.
        stopTracks: false,
        onRtpSender: (sender) => deps.attach(sender, source, codec),
        appData: { source, paused },
      });
      toldPaused = paused;
      follow();
    }

    async function step(): Promise<boolean> {
      if (transport.closed) return false;
      tried = wished;
      if (orphan !== undefined) {
        await link.request("producer:close", { producerId: orphan });
        orphan = undefined;
        return true;
      }
      if (wished === undefined) {
        if (producer === undefined) return false;
        orphan = producer.id;
        producer.close();
        producer = undefined;
        return true;
      }
      if (producer === undefined) {
        await produce(wished);
        return true;
      }
      if (producer.track !== wished.track) {
        await producer.replaceTrack({ track: wished.track });
        follow();
        return true;
      }
      if (toldPaused !== wished.paused) {
        const { paused } = wished;
        await link.request(paused ? "producer:pause" : "producer:resume", { producerId: producer.id });
        toldPaused = paused;
        return true;
      }
      return false;
    }

    const settle = createSettling(step, (error) => {
      // Without a connection it is tried again when there is one; what was wished for meanwhile is another matter, and tried by itself.
      if (isRefused(error, "unavailable") || transport.closed || wished !== tried) return;
      // Who may not speak goes on wanting to be heard: the right may come, and the wish is then made once more.
      if (source !== "audio" || !isRefused(error, "forbidden")) wished = undefined;
      deps.failed(source, error);
    });

    return {
      wish(next: Sent | undefined): void {
        wished = next;
        follow();
        settle();
      },
      compare(known: ReadonlyMap<string, Known>): void {
        const there = producer === undefined ? undefined : known.get(producer.id);
        if (producer !== undefined && there === undefined) {
          producer.close();
          producer = undefined;
        }
        if (there !== undefined) toldPaused = there.paused;
        // One whose end the node has not heard of, or whose beginning we have not: its answer was lost.
        orphan = [...known].find(([id, one]) => one.source === source && id !== producer?.id)?.[0];
        settle();
      },
    };
  }

  function lineOf(source: Source): ReturnType<typeof createLine> {
    const known = lines.get(source);
    if (known !== undefined) return known;
    const made = createLine(source);
    lines.set(source, made);
    return made;
  }

  return {
    wish: (source, sent) => lineOf(source).wish(sent),
    compare(known) {
      for (const line of lines.values()) line.compare(known);
    },
  };
}

function isRefused(error: unknown, code: ErrorCode): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
