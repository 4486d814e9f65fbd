import { base64url } from "jose";

/** The secret of a link that works once: 32 random bytes. */
export function newLinkSecret(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
}

/** The SHA-256 by which a one-time secret is stored: 32 random bytes need no slow hash. */
export async function secretHash(secret: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret)));
}
