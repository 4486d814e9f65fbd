import * as v from "valibot";

interface ErrorKind {
  /** HTTP status of a REST answer with this code. */
  readonly status: number;
  /** Whether the same request may succeed later without a change. */
  readonly retry: boolean;
}

/** The closed list of refusals. REST answers carry the status, socket acknowledgements the code alone. */
export const ERRORS = {
  invalid_request: { status: 400, retry: false },
  signature_invalid: { status: 400, retry: false },
  unauthenticated: { status: 401, retry: false },
  token_expired: { status: 401, retry: false },
  invalid_credentials: { status: 401, retry: false },
  totp_required: { status: 401, retry: false },
  totp_invalid: { status: 401, retry: false },
  session_revoked: { status: 401, retry: false },
  /** A room token joins once. */
  token_used: { status: 401, retry: false },
  forbidden: { status: 403, retry: false },
  /** An operator disabled the account. */
  account_disabled: { status: 403, retry: false },
  /** No new accounts, or none without an invite. */
  registration_closed: { status: 403, retry: false },
  invite_required: { status: 403, retry: false },
  /** The socket or session is bound to no device. */
  device_required: { status: 403, retry: false },
  /** This token does not open the vault. */
  vault_locked: { status: 403, retry: false },
  banned: { status: 403, retry: false },
  cross_origin: { status: 403, retry: false },
  not_found: { status: 404, retry: false },
  invite_invalid: { status: 404, retry: false },
  method_not_allowed: { status: 405, retry: false },
  conflict: { status: 409, retry: false },
  username_taken: { status: 409, retry: false },
  /** An instance that had an operator keeps one. */
  last_operator: { status: 409, retry: false },
  limit_reached: { status: 409, retry: false },
  room_full: { status: 409, retry: true },
  /** Not a codec of this room, or none that both sides have. */
  codec_unsupported: { status: 409, retry: false },
  /** `details` are `DevicesChanged`. */
  devices_changed: { status: 409, retry: false },
  /** `details.devices` names the full ones. */
  queue_full: { status: 409, retry: true },
  encryption_required: { status: 409, retry: false },
  vault_full: { status: 409, retry: false },
  too_large: { status: 413, retry: false },
  unknown_event: { status: 404, retry: false },
  rate_limited: { status: 429, retry: true },
  internal: { status: 500, retry: true },
  unavailable: { status: 503, retry: true },
  /** The node takes no new rooms: ask the edge for another. */
  node_draining: { status: 503, retry: true },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

export const ErrorCode = v.picklist(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]);

/** What a refused request is told. `message` is English for developers; clients show their own words for `code`. */
export const ErrorBody = v.object({
  code: ErrorCode,
  message: v.string(),
  details: v.optional(v.record(v.string(), v.unknown())),
  retryAfterMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  /** Of a failure of ours: the name of the request, which people quote and operators find in the logs. */
  requestId: v.optional(v.string()),
});
export type ErrorBody = v.InferOutput<typeof ErrorBody>;

/** Body of every REST answer with a status of 400 or above. */
export const ErrorResponse = v.object({ error: ErrorBody });
export type ErrorResponse = v.InferOutput<typeof ErrorResponse>;

/** Close codes of the gateway's WebSocket, with what the client does about each. */
export const CLOSE_CODES = {
  /** The access token ended: refresh it and connect again. */
  tokenExpired: 4401,
  /** The session was revoked: sign in again. */
  sessionRevoked: 4403,
} as const;
