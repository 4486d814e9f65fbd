import { type Command, FromNode } from "@lescopains/protocol/sfu/registry";
import { NodeId } from "@lescopains/protocol/sfu/token";
import { jwtVerify } from "jose";
import * as v from "valibot";

const AUDIENCE = "sfu-registry";
/** A node with rooms of 99 people registers with some 200 bytes for each of them. */
const MESSAGE_LENGTH = 8_000_000;

/** The shared secret as both sides use it. Throws when it is short: a weak secret must not start. */
function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(new TextEncoder().encode(secret));
  if (bytes.length < 32) throw new Error("SFU_SECRET must be at least 32 bytes");
  return bytes;
}

/** A command without its number, one type at a time. */
export type Order = Command extends infer C ? (C extends Command ? Omit<C, "id"> : never) : never;

/** Which node opens a connection; undefined: none of ours. */
export async function nodeOf(secret: string, authorization: string | null): Promise<NodeId | undefined> {
  const token = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
  if (secret === "" || token === undefined) return undefined;
  const key = keyOf(secret);
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ["HS256"],
      audience: AUDIENCE,
      requiredClaims: ["iss", "exp"],
      maxTokenAge: "60s",
      clockTolerance: 5,
    });
    return v.is(NodeId, payload.iss) ? payload.iss : undefined;
  } catch {
    return undefined;
  }
}

/** Shows a node that we know the secret, too. */
export async function proofFor(secret: string, nodeId: NodeId, nonce: string): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", keyOf(secret), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`${nodeId} ${nonce}`));
  return btoa(String.fromCharCode(...new Uint8Array(mac)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** A message of a node; undefined: it is none. */
export function parseMessage(text: string | ArrayBuffer): FromNode | undefined {
  if (typeof text !== "string" || text.length > MESSAGE_LENGTH) return undefined;
  try {
    const parsed = v.safeParse(FromNode, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
