/**
 * What a WebSocket carries through hibernation: one JSON text in `serializeAttachment`.
 *
 * Text rather than a structured clone, because its size is known before it is written: the limit is then the same
 * for hibernating, non-hibernating and polling sessions, and a session never grows too large to be upgraded.
 */

/** workerd refuses attachments above 16,384 bytes; the rest is room for the clone's header and the heartbeat's numbers. */
export const maxAttachmentBytes = 16_000;

/** A handshake above this, as it is kept, is refused: half of the attachment is the application's. */
export const maxHandshakeBytes = 8_000;

const layout = "eio1";

/** The request that opened a session, as later namespace connections need it. */
export interface Handshake {
  url: string;
  headers: [string, string][];
}

/** A session in an attachment. */
export interface KeptSession {
  sid: string;
  openedMs: number;
  /** Last sign of life known when this was written. */
  seenMs: number;
  /** When the unanswered ping was sent; 0 when none is. */
  pingedMs: number;
  handshake: Handshake;
  /** The part that belongs to what stands on top. */
  app: unknown;
}

/** A WebSocket that asked to take over a polling session and has not finished. */
export interface KeptCandidate {
  candidateFor: string;
}

/** The state of a session does not fit its WebSocket's attachment; nothing was changed. */
export class AttachmentTooLarge extends Error {
  override readonly name = "AttachmentTooLarge";
  readonly bytes: number;

  constructor(bytes: number) {
    super(`a session's state takes ${bytes} bytes, above ${maxAttachmentBytes}`);
    this.bytes = bytes;
  }
}

/** @throws {AttachmentTooLarge} */
export function encodeSession(kept: KeptSession): string {
  const { sid, openedMs, seenMs, pingedMs, handshake, app } = kept;
  const text = JSON.stringify([layout, sid, openedMs, seenMs, pingedMs, handshake.url, handshake.headers, app]);
  const bytes = clonedBytes(text);
  if (bytes > maxAttachmentBytes) throw new AttachmentTooLarge(bytes);
  return text;
}

export function encodeCandidate(candidate: KeptCandidate): string {
  return JSON.stringify([layout, candidate.candidateFor]);
}

/** What was kept, or undefined for anything that this layout's encoders did not write (closed sessions, other sockets). */
export function decodeAttachment(value: unknown): KeptSession | KeptCandidate | undefined {
  if (typeof value !== "string") return undefined;
  let parts: unknown;
  try {
    parts = JSON.parse(value);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts) || parts[0] !== layout || typeof parts[1] !== "string") return undefined;
  if (parts.length === 2) return { candidateFor: parts[1] };
  const [, sid, openedMs, seenMs, pingedMs, url, headers, app] = parts as unknown[];
  if (typeof openedMs !== "number" || typeof seenMs !== "number" || typeof pingedMs !== "number") return undefined;
  if (typeof url !== "string" || !isHeaderList(headers)) return undefined;
  return { sid: sid as string, openedMs, seenMs, pingedMs, handshake: { url, headers }, app };
}

function isHeaderList(value: unknown): value is [string, string][] {
  return (
    Array.isArray(value) &&
    value.every(
      (pair) => Array.isArray(pair) && pair.length === 2 && typeof pair[0] === "string" && typeof pair[1] === "string",
    )
  );
}

/** What a handshake takes of an attachment. */
export function handshakeBytes({ url, headers }: Handshake): number {
  return clonedBytes(JSON.stringify([url, headers]));
}

/** V8 writes a string as one byte a character while all are Latin-1, and two otherwise. */
function clonedBytes(text: string): number {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0xff) return text.length * 2;
  }
  return text.length;
}
