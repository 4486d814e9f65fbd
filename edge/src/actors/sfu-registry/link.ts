import { type Command, FromNode } from "@lescopains/protocol/sfu/registry";
import { SFU_PERIODS } from "@lescopains/protocol/sfu/limits";
import { NodeId } from "@lescopains/protocol/sfu/token";
import { compactVerify } from "jose";
import * as v from "valibot";

const Claims = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ iss: NodeId, aud: v.literal("sfu-registry"), iat: v.pipe(v.number(), v.finite()) }),
);
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

/** Who opens a connection, and by which of our secrets. `clockMs`: how far their clock is ahead of ours, as far as can be told. */
export interface Caller {
  readonly nodeId: NodeId;
  readonly secret: string;
  readonly clockMs: number;
}

/** A node signs just before it connects. */
const CONNECTING_MS = 2_000;

/** Which node opens a connection; undefined: none of ours. Time is another question: `hasRightTime`. */
export async function callerOf(
  secrets: readonly string[],
  authorization: string | null,
  nowMs: number,
): Promise<Caller | undefined> {
  const token = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
  if (token === undefined) return undefined;
  for (const secret of secrets) {
    const key = keyOf(secret);
    try {
      const { payload } = await compactVerify(token, key, { algorithms: ["HS256"] });
      const { iss: nodeId, iat } = v.parse(Claims, new TextDecoder().decode(payload));
      return { nodeId, secret, clockMs: iat * 1_000 - nowMs };
    } catch {
      // By another one, or none of ours.
    }
  }
  return undefined;
}

/** Whether room tokens of ours would be good by the clock of a node; so that neither an old token of it opens a connection. */
export function hasRightTime({ clockMs }: Caller): boolean {
  const { clockToleranceMs } = SFU_PERIODS;
  // A token tells whole seconds.
  return clockMs <= clockToleranceMs && clockMs >= -clockToleranceMs - CONNECTING_MS - 1_000;
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
