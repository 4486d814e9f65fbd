import type { FrameCodec } from "@lescopains/e2ee/frames/format";
import type { AttachedTrack, FromWorker, TrackCounts, TrackUse } from "./link.ts";
import type { FrameSession } from "./session.ts";

/** What is used of `RTCEncodedVideoFrame` and `RTCEncodedAudioFrame`. */
export interface EncodedFrame {
  data: ArrayBuffer;
  /** Of video only. */
  readonly type?: string;
  /** Firefox and older browsers don't say the codec. */
  readonly getMetadata: () => { readonly mimeType?: string };
}

/** A key frame is asked for again after this, until one comes. */
const ASK_EVERY_MS = 500;

const codecs: Readonly<Record<string, FrameCodec>> = { "audio/opus": "opus", "video/vp8": "vp8", "video/vp9": "vp9" };

/** A track that frames go through, and what became of them. */
export interface Track {
  readonly transform: (frame: EncodedFrame, pass: (frame: EncodedFrame) => void) => Promise<void>;
  readonly counts: () => TrackCounts;
}

export interface TrackWorld {
  readonly session: FrameSession;
  readonly tell: (message: FromWorker) => void;
  readonly now: () => number;
  /** Asks the sender of a received video for a key frame, where the browser can. */
  readonly askKeyFrame: () => void;
}

export function createTrack({ id, ...use }: AttachedTrack, world: TrackWorld): Track {
  let passed = 0;
  const dropped: Record<string, number> = {};
  const drop = (reason: string): void => {
    dropped[reason] = (dropped[reason] ?? 0) + 1;
  };
  const pass = (frame: EncodedFrame, bytes: Uint8Array, enqueue: (frame: EncodedFrame) => void): void => {
    passed += 1;
    // The engine makes these arrays: each has its buffer for itself.
    frame.data = bytes.buffer as ArrayBuffer;
    enqueue(frame);
  };
  const transform = use.direction === "send" ? sealing(use, world, pass, drop) : opening(id, use, world, pass, drop);
  return { transform, counts: () => ({ id, use, passed, dropped: { ...dropped } }) };
}

type Pass = (frame: EncodedFrame, bytes: Uint8Array, enqueue: (frame: EncodedFrame) => void) => void;

function sealing(
  use: Extract<TrackUse, { direction: "send" }>,
  { session }: TrackWorld,
  pass: Pass,
  drop: (reason: string) => void,
): Track["transform"] {
  return async (frame, enqueue) => {
    const { mimeType } = frame.getMetadata();
    const codec = mimeType === undefined ? use.codec : codecs[mimeType.toLowerCase()];
    if (codec === undefined) {
      drop("codec");
      return;
    }
    const sealed = await session.seal(use.role, codec, new Uint8Array(frame.data));
    if (sealed === undefined) drop("no_key");
    else pass(frame, sealed, enqueue);
  };
}

function opening(
  id: number,
  { joinId, role }: Extract<TrackUse, { direction: "receive" }>,
  { session, tell, now, askKeyFrame }: TrackWorld,
  pass: Pass,
  drop: (reason: string) => void,
): Track["transform"] {
  let opens: boolean | undefined;
  /** Frames were dropped that later ones build upon. */
  let broken = false;
  let askedMs = Number.NEGATIVE_INFINITY;
  const tellOpens = (next: boolean): void => {
    if (opens !== next) tell({ kind: "opens", id, joinId, role, opens: next });
    opens = next;
  };
  return async (frame, enqueue) => {
    // Chromium begins each sound that it receives with an empty frame that nobody sent (156, November 2026).
    if (frame.data.byteLength === 0) return;
    const opened = await session.open(joinId, role, new Uint8Array(frame.data));
    if (opened.kind === "dropped") {
      drop(opened.reason);
      if (opened.reason !== "replayed") broken = true;
      if (opened.reason === "unknown_key") tellOpens(false);
      return;
    }
    tellOpens(true);
    if (frame.type === "key") broken = false;
    if (broken && frame.type === "delta" && now() >= askedMs + ASK_EVERY_MS) {
      askedMs = now();
      askKeyFrame();
    }
    pass(frame, opened.frame, enqueue);
  };
}
