/** The worker that every frame of a call goes through. Loaded when somebody joins one; it ends with the stay. */
import type { AttachedTrack, FromPage, FromWorker } from "./link.ts";
import { createFrameSession, type FrameSession } from "./session.ts";
import { createTrack, type EncodedFrame, type Track } from "./track.ts";

/** What is used of `RTCRtpScriptTransformer`. */
interface Transformer {
  readonly readable: ReadableStream<EncodedFrame>;
  readonly writable: WritableStream<EncodedFrame>;
  readonly options: AttachedTrack;
  readonly sendKeyFrameRequest: () => Promise<void>;
}

let session: FrameSession | undefined;
const tracks = new Set<Track>();
const clock = {
  now: () => performance.now(),
  after(delayMs: number, task: () => void) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};

function tell(message: FromWorker): void {
  postMessage(message);
}

function run(
  attached: AttachedTrack,
  readable: ReadableStream<EncodedFrame>,
  writable: WritableStream<EncodedFrame>,
  askKeyFrame: () => void,
): void {
  // The page starts the session before it attaches anything.
  if (session === undefined) throw new Error("a track before the call");
  const track = createTrack(attached, { session, tell, now: clock.now, askKeyFrame });
  tracks.add(track);
  const transform = new TransformStream<EncodedFrame, EncodedFrame>({
    transform: (frame, controller) => track.transform(frame, (done) => controller.enqueue(done)),
  });
  readable
    .pipeThrough(transform)
    .pipeTo(writable)
    // Ends with its track. One that fails lets nothing through any more.
    .catch(() => undefined)
    .finally(() => tracks.delete(track));
}

addEventListener("message", ({ data }: MessageEvent<FromPage>) => {
  switch (data.kind) {
    case "start": {
      const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
      session = createFrameSession({ subtle: crypto.subtle, random, clock, tell }, data.callId, data.self);
      break;
    }
    case "roster":
      session?.roster(data.roster);
      break;
    case "message":
      session?.message(data.from, data.body);
      break;
    case "attach":
      // These streams offer no way to ask; the decoder asks by itself when it has waited for a key frame.
      run(data.track, data.readable, data.writable, () => undefined);
      break;
    case "counts":
      tell({ kind: "counts", id: data.id, counts: [...tracks].map((track) => track.counts()) });
      break;
    case "close":
      session?.close();
      close();
  }
});

addEventListener("rtctransform", (event) => {
  const { transformer } = event as Event & { readonly transformer: Transformer };
  // It rejects while the track is not connected yet.
  const askKeyFrame = () => void transformer.sendKeyFrameRequest().catch(() => undefined);
  run(transformer.options, transformer.readable, transformer.writable, askKeyFrame);
});
