/** What a derived key is for. A label may never change: what was made under it would no longer verify. */
type Purpose = "refresh tokens" | "rate limit keys" | "recovery codes";

const derived = new Map<string, CryptoKey>();

/** 32 bytes of base64 from the environment. Throws when there are fewer: a weak secret must not start. */
export function secretBytes(name: string, base64: string): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  if (bytes.length < 32) throw new Error(`${name} must be at least 32 bytes, base64`);
  return bytes;
}

/** The HMAC-SHA256 key for one purpose, derived from an instance secret by HKDF (RFC 5869) so that no two purposes share a key. */
export async function macKey(secret: string, purpose: Purpose): Promise<CryptoKey> {
  const name = `${purpose} ${secret}`;
  const known = derived.get(name);
  if (known !== undefined) return known;
  const root = await crypto.subtle.importKey("raw", secretBytes("a secret", secret), "HKDF", false, ["deriveKey"]);
  const key = await crypto.subtle.deriveKey(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: new Uint8Array(),
      info: new TextEncoder().encode(`lescopains ${purpose} v1`),
    },
    root,
    { name: "HMAC", hash: "SHA-256", length: 256 },
    false,
    ["sign", "verify"],
  );
  derived.set(name, key);
  return key;
}
