import { SessionId } from "@lescopains/protocol/ids";
import { base64url } from "jose";
import { parse as parseUuid, stringify as formatUuid } from "uuid";
import * as v from "valibot";
import { macKey } from "./secrets.ts";

/** What a refresh token says: which session, and the how-many-eth token of that session it is. */
export interface RefreshClaims {
  readonly sessionId: SessionId;
  readonly generation: number;
}

const ID_BYTES = 16;
const CLAIM_BYTES = ID_BYTES + 4;
const MAC_BYTES = 32;
/** base64url of all of it, without padding. */
const TOKEN_LENGTH = Math.ceil(((CLAIM_BYTES + MAC_BYTES) * 4) / 3);

/**
 * A refresh token: base64url of session id (16 bytes) ‖ generation (4, big endian) ‖ HMAC-SHA256 of both (32).
 * It needs no row of its own: the session's row names the generation that is valid. The MAC tells a genuine token with an old generation
 * (it was used twice: someone has a copy) from one that somebody made up.
 */
export async function sealRefreshToken(secret: string, { sessionId, generation }: RefreshClaims): Promise<string> {
  const token = new Uint8Array(CLAIM_BYTES + MAC_BYTES);
  token.set(parseUuid(sessionId), 0);
  new DataView(token.buffer).setUint32(ID_BYTES, generation);
  const mac = await crypto.subtle.sign("HMAC", await macKey(secret, "refresh tokens"), token.subarray(0, CLAIM_BYTES));
  token.set(new Uint8Array(mac), CLAIM_BYTES);
  return base64url.encode(token);
}

/** The claims of a token that this instance made, valid now or once; `undefined` for anything else. */
export async function openRefreshToken(secret: string, token: string): Promise<RefreshClaims | undefined> {
  if (token.length !== TOKEN_LENGTH || !/^[A-Za-z0-9_-]+$/.test(token)) return undefined;
  const bytes = Uint8Array.from(atob(token.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  const claims = bytes.subarray(0, CLAIM_BYTES);
  const key = await macKey(secret, "refresh tokens");
  if (!(await crypto.subtle.verify("HMAC", key, bytes.subarray(CLAIM_BYTES), claims))) return undefined;
  const sessionId = v.parse(SessionId, formatUuid(claims.subarray(0, ID_BYTES)));
  return { sessionId, generation: new DataView(bytes.buffer).getUint32(ID_BYTES) };
}
