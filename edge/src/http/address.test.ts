import { describe, expect, test } from "vitest";
import { isSecure, limitedAddress } from "./address.ts";

interface Told {
  readonly cf?: unknown;
  readonly proxy?: string;
  readonly url?: string;
  readonly [header: `x-${string}` | `cf-${string}`]: string;
}

function request({ cf, url = "http://chat.example/", proxy, ...headers }: Told) {
  return [{ cf, url, headers: new Headers(headers) }, proxy === undefined ? {} : { TRUSTED_PROXY: proxy }] as const;
}
const address = (told: Told) => limitedAddress(...request(told));
const secure = (told: Told) => isSecure(...request(told));
const peer = (clientIp: string) => ({ clientIp });

describe("[ADDR1] without a proxy the address is the peer's, without its port, and headers say nothing", () => {
  test.each([
    [{ cf: peer("192.0.2.1:54558") }, "192.0.2.1"],
    [
      { cf: peer("192.0.2.1:54558"), "x-forwarded-for": "198.51.100.7", "cf-connecting-ip": "198.51.100.8" },
      "192.0.2.1",
    ],
    [{ cf: peer("192.0.2.1:54558"), "x-forwarded-for": "198.51.100.7", proxy: "" }, "192.0.2.1"],
    [{ cf: peer("[::ffff:192.0.2.1]:443") }, "192.0.2.1"],
    [
      { cf: { clientPid: 1, clientUid: 0 }, "x-forwarded-for": "198.51.100.7", "cf-connecting-ip": "198.51.100.8" },
      "unknown",
    ],
    [{ cf: peer("not an address") }, "unknown"],
    [{}, "unknown"],
  ] satisfies [Told, string][])("%j → %s", (told, expected) => {
    expect(address(told)).toBe(expected);
  });
});

test("[ADDR2] IPv6 is limited by /64", () => {
  expect(address({ cf: peer("[2001:db8:1:2:3:4:5:6]:54574") })).toBe("2001:db8:1:2::/64");
  expect(address({ cf: peer("[2001:db8:1:2::1]:1") })).toBe("2001:db8:1:2::/64");
  expect(address({ cf: peer("[2001:db8:1:3::1]:1") })).toBe("2001:db8:1:3::/64");
});

test("[ADDR3] on Cloudflare the address is in CF-Connecting-IP", () => {
  expect(address({ cf: { colo: "CDG" }, "cf-connecting-ip": "192.0.2.1", "x-forwarded-for": "198.51.100.7" })).toBe(
    "192.0.2.1",
  );
  expect(address({ cf: { colo: "CDG" }, "cf-connecting-ip": "2001:db8::1" })).toBe("2001:db8::/64");
});

describe("[ADDR4] behind trusted proxies it is the right-most address that is not one of them", () => {
  const proxy = "10.0.0.0/8, 192.0.2.9,fd00::/8";
  test.each([
    [{ proxy, cf: peer("10.1.2.3:80"), "x-forwarded-for": "198.51.100.7" }, "198.51.100.7"],
    [{ proxy, cf: peer("10.1.2.3:80"), "x-forwarded-for": "203.0.113.1, 198.51.100.7" }, "198.51.100.7"],
    [
      { proxy, cf: peer("10.1.2.3:80"), "x-forwarded-for": "203.0.113.1,198.51.100.7,10.9.9.9, 192.0.2.9" },
      "198.51.100.7",
    ],
    [{ proxy, cf: peer("[fd00::1]:80"), "x-forwarded-for": "[2001:db8:1:2::9]:1234" }, "2001:db8:1:2::/64"],
    // A peer that is no proxy of ours may write what it likes.
    [{ proxy, cf: peer("198.51.100.1:80"), "x-forwarded-for": "203.0.113.1" }, "198.51.100.1"],
    // Nothing usable: what is known is the proxy.
    [{ proxy, cf: peer("10.1.2.3:80") }, "10.1.2.3"],
    [{ proxy, cf: peer("10.1.2.3:80"), "x-forwarded-for": "203.0.113.1, gibberish" }, "10.1.2.3"],
    [{ proxy, cf: peer("10.1.2.3:80"), "x-forwarded-for": "10.0.0.1, 10.0.0.2" }, "10.0.0.1"],
    [{ proxy: "cloudflare", cf: peer("172.68.1.1:80"), "x-forwarded-for": "198.51.100.7" }, "198.51.100.7"],
    [{ proxy: "cloudflare", cf: peer("[2606:4700::1]:80"), "x-forwarded-for": "198.51.100.7" }, "198.51.100.7"],
    [{ proxy: "cloudflare", cf: peer("198.51.100.1:80"), "x-forwarded-for": "203.0.113.1" }, "198.51.100.1"],
  ] satisfies [Told, string][])("%j → %s", (told, expected) => {
    expect(address(told)).toBe(expected);
  });

  test("a setting that is no range is an error that names it", () => {
    expect(() => address({ proxy: "10.0.0.0/8, my-proxy", cf: peer("10.1.2.3:80") })).toThrow(
      /TRUSTED_PROXY: my-proxy/,
    );
  });
});

test("[ADDR5] a request came by TLS if its URL says so, or a trusted proxy does", () => {
  expect(secure({ url: "https://chat.example/" })).toBe(true);
  expect(secure({ cf: peer("10.1.2.3:80"), proxy: "10.0.0.0/8", "x-forwarded-proto": "https" })).toBe(true);
  expect(secure({ cf: peer("10.1.2.3:80"), proxy: "10.0.0.0/8", "x-forwarded-proto": "http" })).toBe(false);
  expect(secure({ cf: peer("10.1.2.3:80"), proxy: "10.0.0.0/8" })).toBe(false);
  expect(secure({ cf: peer("198.51.100.1:80"), proxy: "10.0.0.0/8", "x-forwarded-proto": "https" })).toBe(false);
  expect(secure({ cf: peer("10.1.2.3:80"), "x-forwarded-proto": "https" })).toBe(false);
});
