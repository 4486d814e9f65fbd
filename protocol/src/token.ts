import * as v from "valibot";
import { SessionId, UserId } from "./ids.ts";

/** Claims of an access token (JWT, HS256, 15 minutes; RFC 7519 names). */
export const AccessClaims = v.object({
  /** Account. */
  sub: UserId,
  /** Session, so that a revoked one is refused before its token ends. */
  sid: SessionId,
  /** Seconds since the epoch. */
  iat: v.pipe(v.number(), v.integer()),
  exp: v.pipe(v.number(), v.integer()),
});
export type AccessClaims = v.InferOutput<typeof AccessClaims>;
