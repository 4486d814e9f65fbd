import { randomUUID } from "node:crypto";
import type { ChannelId, JoinId, SessionId, UserId } from "@lescopains/protocol/ids";
import type { Right, RoomClaims } from "@lescopains/protocol/sfu/token";
import { importJWK, SignJWT } from "jose";
import { type Secrets, signingKey } from "./secrets.ts";
import { localNodeId } from "./sfu.ts";

export interface Visit {
  readonly nodeId?: string;
  readonly room: ChannelId;
  readonly rights?: readonly Right[];
}

/** A stranger's token for a room of a node (this machine's unless told otherwise), signed with the installation's key; the edge is not told of them. */
export async function signRoomToken(
  secrets: Secrets,
  { nodeId = localNodeId, room, rights = [] }: Visit,
): Promise<string> {
  const jwk = signingKey(secrets);
  const seconds = Math.floor(Date.now() / 1_000);
  const claims: RoomClaims = {
    aud: nodeId,
    sub: randomUUID() as UserId,
    sid: randomUUID() as SessionId,
    joinId: randomUUID() as JoinId,
    did: 1,
    room,
    rights: [...rights],
    enc: true,
    probe: true,
    jti: randomUUID(),
    iat: seconds,
    exp: seconds + 60,
  };
  const header = { alg: "EdDSA", kid: jwk.kid, typ: "room+jwt" };
  return new SignJWT(claims).setProtectedHeader(header).sign(await importJWK(jwk, "EdDSA"));
}
