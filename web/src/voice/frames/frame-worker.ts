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

/** Read and written by hand: pipes through a `TransformStream` cost a fifth more (Chromium 156, November 2026). */
async function run(
  attached: AttachedTrack,
  readable: ReadableStream<EncodedFrame>,
  writable: WritableStream<EncodedFrame>,
  askKeyFrame: () => void,
): Promise<void> {
  // The page starts the session before it attaches anything.
  if (session === undefined) throw new Error("a track before the call");
  const track = createTrack(attached, { session, tell, now: clock.now, askKeyFrame });
  tracks.add(track);
  const reader = readable.getReader();
  const writer = writable.getWriter();
  const pass = (frame: EncodedFrame): void => void writer.write(frame).catch(() => undefined);
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read())
      await track.transform(next.value, pass);
  } catch {
    // It ended with its connection, or failed; in both cases it lets nothing through any more.
  } finally {
    tracks.delete(track);
  }
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
      void run(data.track, data.readable, data.writable, () => undefined);
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
  void run(transformer.options, transformer.readable, transformer.writable, askKeyFrame);
});
