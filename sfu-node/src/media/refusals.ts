import { errors } from "mediasoup";
import { type Outcome, ok, type Refusal, refuse } from "@lescopains/protocol/outcome";

export const gone: Refusal = refuse("not_found", "it is closed");

/**
 * Runs a request of a media engine. What mediasoup throws is about what a client has sent, or about something that closed meanwhile:
 * both are foreseen. `isClosed`: the thing that was asked, or what it lives in, is closed now; then what it made is closed in the worker, whatever
 * mediasoup's objects say of themselves.
 */
export async function attempt<T>(isClosed: () => boolean, request: () => Promise<T>): Promise<Outcome<T>> {
  if (isClosed()) return gone;
  try {
    const value = await request();
    return isClosed() ? gone : ok(value);
  } catch (error) {
    if (isClosed() || error instanceof errors.WorkerClosedError) return gone;
    if (!(error instanceof Error)) throw error;
    if (error instanceof errors.NotFoundError) return refuse("not_found", error.message);
    if (error instanceof errors.UnsupportedError) return refuse("codec_unsupported", error.message);
    return refuse("invalid_request", error.message);
  }
}

/** As `attempt`, for what asks nothing of the client's: when it is closed, there is nothing to do. */
export async function unlessClosed(isClosed: () => boolean, request: () => Promise<unknown>): Promise<void> {
  if (isClosed()) return;
  try {
    await request();
  } catch (error) {
    if (!isClosed()) throw error;
  }
}
