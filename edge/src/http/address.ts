import { CLOUDFLARE, clientOf, trustedEntries } from "@lescopains/protocol/proxies";
import ipaddr from "ipaddr.js";
import type { Env } from "../platform/env.ts";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = ReturnType<typeof ipaddr.parseCIDR>;
type Incoming = Pick<Request, "headers" | "url"> & { readonly cf?: unknown };
type ProxySettings = Pick<Env, "TRUSTED_PROXY">;

interface Trusted {
  readonly own: readonly Range[];
  readonly cloudflare: readonly Range[];
}

const cloudflare = CLOUDFLARE.map((range) => ipaddr.parseCIDR(range));
const known = new Map<string, Trusted>();

/** Throws when an entry of TRUSTED_PROXY is none. */
function trusted({ TRUSTED_PROXY: setting = "" }: ProxySettings): Trusted {
  const parsed = known.get(setting);
  if (parsed !== undefined) return parsed;
  const entries = trustedEntries(setting);
  const own = entries.own.map((entry): Range => {
    if (ipaddr.isValidCIDR(entry)) return ipaddr.parseCIDR(entry);
    const address = parseAddress(entry);
    if (address === undefined)
      throw new Error(`TRUSTED_PROXY: ${entry} is not an address, a CIDR range or "cloudflare"`);
    return [address, address.kind() === "ipv4" ? 32 : 128] as Range;
  });
  const ranges = { own, cloudflare: entries.cloudflare ? cloudflare : [] };
  known.set(setting, ranges);
  return ranges;
}

/** An address with or without its port: `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]:443`. IPv4 inside IPv6 comes out as IPv4. */
function parseAddress(text: string): Address | undefined {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  return ipaddr.IPv4.isValidFourPartDecimal(bare) || ipaddr.IPv6.isValid(bare) ? ipaddr.process(bare) : undefined;
}

function isIn(address: Address, ranges: readonly Range[]): boolean {
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

function clientAddress(request: Incoming, env: ProxySettings): Address | undefined {
  const { own, cloudflare: theirs } = trusted(env);
  const claims = {
    forwardedFor: request.headers.get("x-forwarded-for"),
    cfConnectingIp: request.headers.get("cf-connecting-ip"),
  };
  return clientOf(peerAddress(request), claims, {
    parse: parseAddress,
    isOwn: (address) => isIn(address, own),
    isCloudflare: (address) => isIn(address, theirs),
  });
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
  const { own, cloudflare: theirs } = trusted(env);
  return peer !== undefined && (isIn(peer, own) || isIn(peer, theirs));
}

/**
 * Whether a request names somebody it was handed on for, and TRUSTED_PROXY does not know who handed it on: then everybody who comes that way is
 * taken for one. Whoever asks may have written that themselves.
 */
export function isFromUnnamedProxy(request: Incoming, env: ProxySettings): boolean {
  // Cloudflare itself writes such a header, and says who called in another one.
  const isDirect = typeof (request.cf as { clientIp?: unknown } | undefined)?.clientIp === "string";
  return isDirect && request.headers.has("x-forwarded-for") && !isFromTrustedProxy(request, env);
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
