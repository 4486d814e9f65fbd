import { AccessClaims } from "@lescopains/protocol/token";
import { PERIODS } from "@lescopains/protocol/limits";
import type { SessionId, UserId } from "@lescopains/protocol/ids";
import { errors, jwtVerify, SignJWT } from "jose";
import * as v from "valibot";
import { type Outcome, ok, refuse } from "@lescopains/protocol/outcome";

const ALGORITHM = "HS256";
const ISSUER = "lescopains";

const keys = new Map<string, Uint8Array>();

/** `JWT_SECRET` as bytes. Throws when it is not 32 bytes of base64: a weak secret must not start. */
function signingKey(secret: string): Uint8Array {
  const known = keys.get(secret);
  if (known !== undefined) return known;
  const key = Uint8Array.from(atob(secret), (char) => char.charCodeAt(0));
  if (key.length < 32) throw new Error("JWT_SECRET must be at least 32 bytes, base64");
  keys.set(secret, key);
  return key;
}

/** Signs the access token of a session (RFC 7519), good for 15 minutes from `nowMs`. */
export async function signAccessToken(
  secret: string,
  userId: UserId,
  sessionId: SessionId,
  nowMs: number,
): Promise<string> {
  const issuedAt = Math.floor(nowMs / 1_000);
  return new SignJWT({ sid: sessionId })
    .setProtectedHeader({ alg: ALGORITHM })
    .setIssuer(ISSUER)
    .setSubject(userId)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + PERIODS.accessTokenMs / 1_000)
    .sign(signingKey(secret));
}

/** The claims of a token that this instance signed and that has not ended: `unauthenticated` or `token_expired` otherwise. */
export async function verifyAccessToken(secret: string, token: unknown, nowMs: number): Promise<Outcome<AccessClaims>> {
  if (typeof token !== "string" || token.length > 1_024) return refuse("unauthenticated", "an access token is needed");
  try {
    const { payload } = await jwtVerify(token, signingKey(secret), {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      currentDate: new Date(nowMs),
    });
    const claims = v.safeParse(AccessClaims, payload);
    return claims.success ? ok(claims.output) : refuse("unauthenticated", "the access token has other claims");
  } catch (error) {
    if (error instanceof errors.JWTExpired) return refuse("token_expired", "the access token has ended");
    if (error instanceof errors.JOSEError) return refuse("unauthenticated", "the access token is not valid");
    throw error;
  }
}
