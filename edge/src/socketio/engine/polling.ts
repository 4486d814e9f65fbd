import type { Frame } from "./settings.ts";

/** Between the packets of a polling payload. */
export const separator = "\u001E";

/** Cost of one waiting frame besides its bytes, so that empty frames are bounded too. */
const frameOverheadBytes = 64;

/**
 * The server's end of a polling session: frames that wait, and at most one GET that waits for them.
 * Frames sent in one turn of the event loop leave in one response.
 */
export class Polling {
  /** A POST is being read; a second one at the same time is a fault. */
  posting = false;
  readonly #maxQueuedBytes: number;
  #frames: Frame[] = [];
  #queuedBytes = 0;
  #answer: ((body: string) => void) | undefined;
  #flushIsDue = false;

  constructor(maxQueuedBytes: number) {
    this.#maxQueuedBytes = maxQueuedBytes;
  }

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  get isHeld(): boolean {
    return this.#answer !== undefined;
  }

  /** Queues a frame; false when the client has left too much unread. */
  push(frame: Frame): boolean {
    this.#queuedBytes += frameOverheadBytes + (typeof frame === "string" ? frame.length : frame.byteLength);
    if (this.#queuedBytes > this.#maxQueuedBytes) return false;
    this.#frames.push(frame);
    if (this.#answer !== undefined && !this.#flushIsDue) {
      this.#flushIsDue = true;
      queueMicrotask(() => this.flush());
    }
    return true;
  }

  /** The body of the next response: at once when frames wait, later otherwise. Call only when none is held. */
  poll(): Promise<string> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      if (!this.isEmpty) this.flush();
    });
  }

  /** Answers the held GET, if there is one, with all that waits and then `last`. */
  flush(last?: string): void {
    this.#flushIsDue = false;
    const answer = this.#answer;
    if (answer === undefined) return;
    if (last !== undefined) this.#frames.push(last);
    if (this.isEmpty) return;
    this.#answer = undefined;
    answer(encodePayload(this.take()));
  }

  /** All that waits, for another transport to carry. */
  take(): Frame[] {
    const frames = this.#frames;
    this.#frames = [];
    this.#queuedBytes = 0;
    return frames;
  }
}

/** Binary frames travel as base64; text frames are packets already. */
function encodePayload(frames: readonly Frame[]): string {
  return frames.map((frame) => (typeof frame === "string" ? frame : `b${base64(frame)}`)).join(separator);
}

/**
 * The parser's own encoder is not used here: its browser build, which bundlers like to pick, needs a FileReader,
 * and workerd has none.
 */
function base64(data: ArrayBuffer | ArrayBufferView): string {
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  let binary = "";
  // In chunks, because a call takes a limited number of arguments.
  for (let start = 0; start < bytes.length; start += 8_192) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 8_192));
  }
  return btoa(binary);
}

export function pollResponse(body: string): Response {
  return new Response(body, {
    headers: { "content-type": "text/plain; charset=UTF-8", "cache-control": "no-store" },
  });
}

/** The text of a body of at most `maxBytes`; undefined when it is longer (and then not read to its end). */
export async function readBody(request: Request, maxBytes: number): Promise<string | undefined> {
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > maxBytes) return undefined;
  const chunks: string[] = [];
  const decoder = new TextDecoder();
  let bytes = 0;
  if (request.body !== null) {
    for await (const chunk of request.body as ReadableStream<Uint8Array>) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) return undefined;
      chunks.push(decoder.decode(chunk, { stream: true }));
    }
  }
  chunks.push(decoder.decode());
  return chunks.join("");
}
