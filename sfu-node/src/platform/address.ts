import type { IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";

/** IPv4 inside IPv6 as IPv4, and of IPv6 the /64: one customer has at least that many. */
function limited(address: string): string {
  const bare = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (!isIPv6(bare)) return bare;
  const [head = "", tail] = bare.split("::");
  const groups = head.split(":").filter(Boolean);
  const after = tail?.split(":").filter(Boolean) ?? [];
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - groups.length - after.length }, () => "0");
  return `${[...groups, ...zeros, ...after].slice(0, 4).join(":")}::/64`;
}

/**
 * By what a client is limited: the peer's address, or, when the peer is a trusted proxy, the last one in `X-Forwarded-For` (what stands left of
 * that was written by the client). Personal data: never logged or kept.
 */
export function limitedAddress(request: IncomingMessage, trustedProxies: ReadonlySet<string>): string {
  const peer = limited(request.socket.remoteAddress ?? "unknown");
  if (!trustedProxies.has(peer)) return peer;
  const header = request.headers["x-forwarded-for"];
  const hop = (Array.isArray(header) ? header.join(",") : (header ?? "")).split(",").at(-1)?.trim();
  return hop === undefined || hop === "" ? peer : limited(hop.replace(/\/64$/, ""));
}
