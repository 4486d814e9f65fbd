import type { IncomingMessage } from "node:http";
import { BlockList, isIP, isIPv6 } from "node:net";
import { type AddressBook, CLOUDFLARE, clientOf, trustedEntries } from "@lescopains/protocol/proxies";

/** IPv4 inside IPv6 as IPv4. With or without its port, or the length of a prefix: the edge hands addresses on as it limits by them. */
function parseAddress(text: string): string | undefined {
  const bare =
    /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text.replace(/\/\d+$/, "");
  const address = bare.replace(/^::ffff:(?=\d+\.)/i, "");
  return isIP(address) === 0 ? undefined : address;
}

function blockList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [network = "", length] = entry.split("/");
    const family = isIPv6(network) ? "ipv6" : "ipv4";
    if (isIP(network) === 0) throw new TypeError("not an address");
    if (length === undefined) list.addAddress(network, family);
    else list.addSubnet(network, Number(length), family);
  }
  return list;
}

/** How this node compares addresses, by its setting TRUSTED_PROXY. Throws when an entry of that is none. */
export function addressBook(setting: string): AddressBook<string> {
  const entries = trustedEntries(setting);
  const own = blockList(entries.own);
  const cloudflare = blockList(entries.cloudflare ? CLOUDFLARE : []);
  const isIn = (list: BlockList) => (address: string) => list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  return { parse: parseAddress, isOwn: isIn(own), isCloudflare: isIn(cloudflare) };
}

/** Of IPv6 the /64: one customer has at least that many. */
function limited(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("::");
  const groups = head.split(":").filter(Boolean);
  const after = tail?.split(":").filter(Boolean) ?? [];
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - groups.length - after.length }, () => "0");
  return `${[...groups, ...zeros, ...after].slice(0, 4).join(":")}::/64`;
}

/** Whether a proxy of our own handed the request on: only then does what it says in headers count. */
export function isFromOwnProxy(request: IncomingMessage, book: AddressBook<string>): boolean {
  const peer = parseAddress(request.socket.remoteAddress ?? "");
  return peer !== undefined && book.isOwn(peer);
}

/** By what a client is limited: its address, or the peer's where nobody who is believed knows better. Personal data: never logged or kept. */
export function limitedAddress(request: IncomingMessage, book: AddressBook<string>): string {
  const { "x-forwarded-for": forwarded, "cf-connecting-ip": connecting } = request.headers;
  const claims = {
    forwardedFor: Array.isArray(forwarded) ? forwarded.join(",") : forwarded,
    // Twice is none: Cloudflare sets one.
    cfConnectingIp: Array.isArray(connecting) ? undefined : connecting,
  };
  const address = clientOf(parseAddress(request.socket.remoteAddress ?? ""), claims, book);
  return address === undefined ? "unknown" : limited(address);
}
