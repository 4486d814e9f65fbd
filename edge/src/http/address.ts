import ipaddr from "ipaddr.js";
import type { Env } from "../platform/env.ts";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = ReturnType<typeof ipaddr.parseCIDR>;
type Incoming = Pick<Request, "headers" | "url"> & { readonly cf?: unknown };
type ProxySettings = Pick<Env, "TRUSTED_PROXY">;

/** What TRUSTED_PROXY=cloudflare stands for: the addresses Cloudflare's proxies call from (cloudflare.com/ips, unchanged since 2023). */
const CLOUDFLARE = `173.245.48.0/20 103.21.244.0/22 103.22.200.0/22 103.31.4.0/22 141.101.64.0/18 108.162.192.0/18 190.93.240.0/20
  188.114.96.0/20 197.234.240.0/22 198.41.128.0/17 162.158.0.0/15 104.16.0.0/13 104.24.0.0/14 172.64.0.0/13 131.0.72.0/22
  2400:cb00::/32 2606:4700::/32 2803:f800::/32 2405:b500::/32 2405:8100::/32 2a06:98c0::/29 2c0f:f248::/32`;

const known = new Map<string, readonly Range[]>();

/** TRUSTED_PROXY as ranges: addresses and CIDR ranges, separated by commas, and the word `cloudflare`. Throws on anything else. */
function trustedRanges(setting: string): readonly Range[] {
  const parsed = known.get(setting);
  if (parsed !== undefined) return parsed;
  const entries = setting
    .split(",")
    .flatMap((entry) => (entry.trim() === "cloudflare" ? CLOUDFLARE.split(/\s+/) : entry.trim()));
  const ranges = entries
    .filter((entry) => entry !== "")
    .map((entry): Range => {
      if (ipaddr.isValidCIDR(entry)) return ipaddr.parseCIDR(entry);
      const address = parseAddress(entry);
      if (address === undefined)
        throw new Error(`TRUSTED_PROXY: ${entry} is not an address, a CIDR range or "cloudflare"`);
      return [address, address.kind() === "ipv4" ? 32 : 128] as Range;
    });
  known.set(setting, ranges);
  return ranges;
}

/** An address with or without its port: `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]:443`. IPv4 inside IPv6 comes out as IPv4. */
function parseAddress(text: string): Address | undefined {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  return ipaddr.IPv4.isValidFourPartDecimal(bare) || ipaddr.IPv6.isValid(bare) ? ipaddr.process(bare) : undefined;
}

function isTrusted(address: Address, ranges: readonly Range[]): boolean {
  return ranges.some((range) => range[0].kind() === address.kind() && address.match(range));
}

/**
 * Who is at the other end of the connection. workerd says it in `cf.clientIp`, with the port; Cloudflare in a header that it sets itself and that
 * means nothing elsewhere, and there `cf.colo` is always present. On a unix socket nobody knows.
 */
function peerAddress({ cf, headers }: Incoming): Address | undefined {
  const { clientIp, colo } = (cf ?? {}) as { clientIp?: unknown; colo?: unknown };
  if (typeof clientIp === "string") return parseAddress(clientIp);
  const header = typeof colo === "string" ? headers.get("cf-connecting-ip") : null;
  return header === null ? undefined : parseAddress(header);
}

/**
 * The address a request came from: the peer's, or, when the peer is a trusted proxy, the right-most one in `X-Forwarded-For` that is not.
 * (What stands left of that was written by the client.) Undefined when it cannot be known.
 */
function clientAddress(request: Incoming, env: ProxySettings): Address | undefined {
  const ranges = trustedRanges(env.TRUSTED_PROXY ?? "");
  let address = peerAddress(request);
  const hops = (request.headers.get("x-forwarded-for") ?? "").split(",");
  while (address !== undefined && isTrusted(address, ranges)) {
    const hop = parseAddress(hops.pop()?.trim() ?? "");
    if (hop === undefined) break;
    address = hop;
  }
  return address;
}

/**
 * By what a client is limited: its IPv4 address, or the /64 its IPv6 address is from (one customer has at least that many), or one name for
 * all whose address is unknown. Personal data: never logged, and stored only behind a keyed hash.
 */
export function limitedAddress(request: Incoming, env: ProxySettings): string {
  const address = clientAddress(request, env);
  if (address === undefined) return "unknown";
  if (address.kind() === "ipv4") return address.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/64`).toString()}/64`;
}

/** Whether a trusted proxy handed the request on: only then does what it says in headers count. */
export function isFromTrustedProxy(request: Incoming, env: ProxySettings): boolean {
  const peer = peerAddress(request);
  return peer !== undefined && isTrusted(peer, trustedRanges(env.TRUSTED_PROXY ?? ""));
}

/** Whether the browser reached us over TLS: directly, or by what a trusted proxy says in `X-Forwarded-Proto`. */
export function isSecure(request: Incoming, env: ProxySettings): boolean {
  if (request.url.startsWith("https:")) return true;
  if (!isFromTrustedProxy(request, env)) return false;
  return request.headers.get("x-forwarded-proto")?.split(",").at(-1)?.trim() === "https";
}

/** Where the browser reached us: scheme and host. */
export function originOf(request: Incoming, env: ProxySettings): string {
  return `${isSecure(request, env) ? "https" : "http"}://${new URL(request.url).host}`;
}
