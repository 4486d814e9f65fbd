import type { EncodedFrame } from "../../web/src/voice/frames/track.ts";

interface FrameStreams {
  readonly readable: ReadableStream<EncodedFrame>;
  readonly writable: WritableStream<EncodedFrame>;
}

/** Reads and writes as the client's worker does, and gives each frame back as it is: what is left is what the browser does to hand frames over. */
async function handBack({ readable, writable }: FrameStreams): Promise<void> {
  const reader = readable.getReader();
  const writer = writable.getWriter();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    void writer.write(next.value).catch(() => undefined);
  }
}

addEventListener("rtctransform", (event) => {
  void handBack((event as Event & { readonly transformer: FrameStreams }).transformer);
});
