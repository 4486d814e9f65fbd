import type { ChannelId, SessionId, UserId } from "@lescopains/protocol/ids";
import { SFU_PERIODS } from "@lescopains/protocol/sfu/limits";
import type { RoomClaims } from "@lescopains/protocol/sfu/token";
import { importJWK, type JWK, SignJWT } from "jose";
import { v7 } from "uuid";
import type { Joined } from "../actors/channel/voice.ts";
import type { Place } from "../actors/sfu-registry/nodes.ts";

const ALGORITHM = "EdDSA";

interface SigningKey {
  readonly kid: string;
  readonly key: CryptoKey;
}

const keys = new Map<string, Promise<SigningKey>>();

/** `SFU_SIGNING_KEY` as a key. Throws when it is no private Ed25519 JWK with a `kid`. */
function signingKey(text: string): Promise<SigningKey> {
  let known = keys.get(text);
  if (known === undefined) keys.set(text, (known = importKey(text)));
  return known;
}

async function importKey(text: string): Promise<SigningKey> {
  const jwk = JSON.parse(text) as JWK;
  const key = await importJWK(jwk, ALGORITHM);
  if (jwk.crv !== "Ed25519" || jwk.d === undefined || jwk.kid === undefined || !(key instanceof CryptoKey))
    throw new Error("SFU_SIGNING_KEY must be a private Ed25519 JWK with a kid");
  return { kid: jwk.kid, key };
}

/** [VO13] Signs what admits a person to a room on a node: once, within a minute. */
export async function signRoomToken(
  keyText: string,
  who: { readonly userId: UserId; readonly sessionId: SessionId; readonly channelId: ChannelId },
  { joinId, deviceId, rights, encrypted }: Pick<Joined, "joinId" | "deviceId" | "rights" | "encrypted">,
  { node }: Pick<Place, "node">,
  nowMs: number,
): Promise<string> {
  const { kid, key } = await signingKey(keyText);
  const issuedAt = Math.floor(nowMs / 1_000);
  const claims: RoomClaims = {
    aud: node,
    sub: who.userId,
    sid: who.sessionId,
    joinId,
    did: deviceId,
    room: who.channelId,
    rights,
    enc: encrypted,
    jti: v7(),
    iat: issuedAt,
    exp: issuedAt + SFU_PERIODS.roomTokenMs / 1_000,
  };
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: ALGORITHM, kid, typ: "room+jwt" }).sign(key);
}
