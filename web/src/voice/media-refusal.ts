/** Why a microphone, a camera or a screen could not be had. */
export type MediaRefusal =
  /** The person, or the browser's settings, said no. */
  | "denied"
  /** There is none. */
  | "missing"
  /** Another program has it, or the system failed to start it. */
  | "busy"
  /** The page was not loaded over https or from localhost. */
  | "insecure"
  /** The person closed the picker. */
  | "cancelled"
  | "failed";

export type MediaWish = "microphone" | "camera" | "screen";

/** A microphone, a camera or a screen that could not be had. */
export class MediaError extends Error {
  override readonly name = "MediaError";
  readonly wish: MediaWish;
  readonly refusal: MediaRefusal;

  constructor(wish: MediaWish, refusal: MediaRefusal, cause?: unknown) {
    super(`no ${wish}: ${refusal}`, { cause });
    this.wish = wish;
    this.refusal = refusal;
  }
}

const REFUSALS: Readonly<Record<string, MediaRefusal>> = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

/** What a browser threw, as one of the few reasons. Who is asked for a screen and refuses has closed the picker. */
export function asMediaError(wish: MediaWish, thrown: unknown): MediaError {
  if (thrown instanceof MediaError) return thrown;
  const refusal = REFUSALS[thrown instanceof Error ? thrown.name : ""] ?? "failed";
  return new MediaError(wish, wish === "screen" && refusal === "denied" ? "cancelled" : refusal, thrown);
}
