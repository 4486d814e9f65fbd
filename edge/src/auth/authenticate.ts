import type { AccessClaims } from "@lescopains/protocol/token";
import type { Database } from "../db/port.ts";
import { sessionAlive } from "../db/sessions.ts";
import type { Env } from "../platform/env.ts";
import { type Outcome, refuse } from "@lescopains/protocol/outcome";
import { verifyAccessToken } from "./access-token.ts";

/**
 * Who sends a request: the claims of its Bearer token (RFC 6750), when this instance signed it, it has not ended, and its session lives.
 * Refuses with `unauthenticated`, `token_expired` or `session_revoked`. Throws `DatabaseError`.
 */
export async function authenticate(
  env: Pick<Env, "JWT_SECRET">,
  db: Database,
  authorizationHeader: string | undefined,
): Promise<Outcome<AccessClaims>> {
  const token = /^Bearer +(\S+) *$/i.exec(authorizationHeader ?? "")?.[1];
  const claims = await verifyAccessToken(env.JWT_SECRET, token, Date.now());
  if (!claims.ok) return claims;
  return (await sessionAlive(db, claims.value.sid, claims.value.sub))
    ? claims
    : refuse("session_revoked", "this session has ended: sign in again");
}
