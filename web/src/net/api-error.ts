import { type ErrorBody, type ErrorCode, ERRORS } from "@lescopains/protocol/errors";

/**
 * A refusal by the server, or `unavailable` when it could not be asked at all.
 * `message` is for developers; people are shown the client's own words for `code`.
 */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ErrorCode;
  /** How long to wait before the same request may succeed, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  /** Of a failure of the server's own: what its log calls the request. */
  readonly requestId: string | undefined;

  constructor(body: ErrorBody, options?: ErrorOptions) {
    super(body.message, options);
    this.code = body.code;
    this.retryAfterMs = body.retryAfterMs;
    this.details = body.details;
    this.requestId = body.requestId;
  }

  /** Whether the same request may succeed later without a change. */
  get retry(): boolean {
    return ERRORS[this.code].retry;
  }
}

/** The server could not be asked: no network, no answer in time, or an answer that is not the contract's. */
export function unavailable(message: string, cause?: unknown): ApiError {
  return new ApiError({ code: "unavailable", message }, { cause });
}

/** Any thrown value as an `ApiError`; what is not one is a bug of ours and becomes `internal`. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  return new ApiError({ code: "internal", message: String(thrown) }, { cause: thrown });
}
