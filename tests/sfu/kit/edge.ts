import { randomUUID } from "node:crypto";
import type { ChannelId, JoinId, SessionId, UserId } from "@lescopains/protocol/ids";
import type { RoomClaims } from "@lescopains/protocol/sfu/token";
import { type CryptoKey, exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from "jose";

/** What the edge does for a node: it signs room tokens. */
export interface Edge {
  /** What the node is told. */
  readonly keys: JSONWebKeySet;
  token(claims?: Partial<RoomClaims>, more?: { readonly kid?: string; readonly typ?: string }): Promise<string>;
}

export const newUser = (): UserId => randomUUID() as UserId;
export const newJoin = (): JoinId => randomUUID() as JoinId;
export const newRoom = (): ChannelId => randomUUID() as ChannelId;

async function keyPair(
  kid: string,
): Promise<{ kid: string; privateKey: CryptoKey; jwk: JSONWebKeySet["keys"][number] }> {
  const { publicKey, privateKey } = await generateKeyPair("EdDSA", { extractable: true });
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid } };
}

/** An edge with a key for each name; tokens are signed with the first unless said otherwise. */
export async function startEdge(kids: readonly string[] = ["one"], trusted = kids): Promise<Edge> {
  const pairs = await Promise.all(kids.map(keyPair));
  return {
    keys: { keys: pairs.filter(({ kid }) => trusted.includes(kid)).map(({ jwk }) => jwk) },
    async token(claims = {}, { kid = kids[0] ?? "", typ = "room+jwt" } = {}) {
      const nowSeconds = Math.floor(Date.now() / 1_000);
      const pair = pairs.find((one) => one.kid === kid);
      if (pair === undefined) throw new Error(`there is no key ${kid}`);
      const whole: RoomClaims = {
        aud: "test-node",
        sub: newUser(),
        sid: randomUUID() as SessionId,
        joinId: newJoin(),
        did: 1,
        room: newRoom(),
        rights: ["speak", "video", "screen", "listen"],
        enc: true,
        jti: randomUUID(),
        iat: nowSeconds,
        exp: nowSeconds + 60,
        ...claims,
      };
      return new SignJWT(whole).setProtectedHeader({ alg: "EdDSA", kid, typ }).sign(pair.privateKey);
    },
  };
}
