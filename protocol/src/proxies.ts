/** Whom to believe about who called: the setting TRUSTED_PROXY, the same for the edge and for voice nodes. */

/** What TRUSTED_PROXY's word `cloudflare` stands for: where Cloudflare's proxies call from (cloudflare.com/ips, unchanged since 2023). */
export const CLOUDFLARE: readonly string[] =
  `173.245.48.0/20 103.21.244.0/22 103.22.200.0/22 103.31.4.0/22 141.101.64.0/18
  108.162.192.0/18 190.93.240.0/20 188.114.96.0/20 197.234.240.0/22 198.41.128.0/17 162.158.0.0/15 104.16.0.0/13 104.24.0.0/14 172.64.0.0/13
  131.0.72.0/22 2400:cb00::/32 2606:4700::/32 2803:f800::/32 2405:b500::/32 2405:8100::/32 2a06:98c0::/29 2c0f:f248::/32`.split(
    /\s+/,
  );

/** TRUSTED_PROXY taken apart: addresses and CIDR ranges, separated by commas, and whether the word `cloudflare` is among them. */
export function trustedEntries(setting: string): { readonly own: readonly string[]; readonly cloudflare: boolean } {
  const entries = setting.split(",").flatMap((entry) => entry.trim() || []);
  return { own: entries.filter((entry) => entry !== "cloudflare"), cloudflare: entries.includes("cloudflare") };
}

/** Addresses as one side reads and compares them. */
export interface AddressBook<A> {
  /** An address with or without its port; undefined for anything else. */
  readonly parse: (text: string) => A | undefined;
  /** One of our own proxies, which adds who called it to the end of `X-Forwarded-For`. */
  readonly isOwn: (address: A) => boolean;
  /** Cloudflare, where that is trusted. */
  readonly isCloudflare: (address: A) => boolean;
}

/** What a request says of where it comes from, if anything. */
interface Claims {
  readonly forwardedFor: string | null | undefined;
  readonly cfConnectingIp: string | null | undefined;
}

/**
 * The address a request came from: the peer's, or, past our own proxies, the right-most in `X-Forwarded-For` that is none of them: what stands
 * left of that was written by the client. When that is Cloudflare, the client is in `CF-Connecting-IP`, which it sets itself;
 * `X-Forwarded-For` it hands on, and a Worker of anybody's may have written it. Undefined when the peer is.
 */
export function clientOf<A>(peer: A | undefined, claims: Claims, book: AddressBook<A>): A | undefined {
  const hops = (claims.forwardedFor ?? "").split(",");
  let address = peer;
  while (address !== undefined && book.isOwn(address)) {
    const hop = book.parse(hops.pop()?.trim() ?? "");
    if (hop === undefined) return address;
    address = hop;
  }
  if (address === undefined || !book.isCloudflare(address)) return address;
  return book.parse(claims.cfConnectingIp?.trim() ?? "") ?? address;
}
