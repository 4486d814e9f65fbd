import type { AccessClaims } from "@lescopains/protocol/token";
import type { Database } from "../db/port.ts";
import { sessionAlive } from "../db/sessions.ts";
import type { Env } from "../platform/env.ts";
import { ok, type Outcome, refuse } from "@lescopains/protocol/outcome";
import { verifyAccessToken } from "./access-token.ts";

/**
 * Who says to send a request: the claims of its Bearer token (RFC 6750), when this instance signed it and it has not ended.
 * Refuses with `unauthenticated` or `token_expired`. Asks nobody.
 */
export function bearerClaims(
  env: Pick<Env, "JWT_SECRET">,
  authorizationHeader: string | undefined,
): Promise<Outcome<AccessClaims>> {
  const token = /^Bearer +(\S+) *$/i.exec(authorizationHeader ?? "")?.[1];
  return verifyAccessToken(env.JWT_SECRET, token, Date.now());
}

/** Whether the session of a genuine token lives: refuses with `session_revoked`. Throws `DatabaseError`. */
export async function living(db: Database, claims: AccessClaims): Promise<Outcome<AccessClaims>> {
  return (await sessionAlive(db, claims.sid, claims.sub))
    ? ok(claims)
    : refuse("session_revoked", "this session has ended: sign in again");
}
