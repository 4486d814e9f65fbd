import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isFromUnnamedProxy, isSecure, limitedAddress } from "./address.ts";

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
  ] satisfies [Told, string][])("%j → %s", (told, expected) => {
    expect(address(told)).toBe(expected);
  });

  test("a setting that is no range is an error that names it", () => {
    expect(() => address({ proxy: "10.0.0.0/8, my-proxy", cf: peer("10.1.2.3:80") })).toThrow(
      /TRUSTED_PROXY: my-proxy/,
    );
  });
});

describe("[ADDR6] behind Cloudflare it is what Cloudflare itself says, never what a Worker of somebody may have written", () => {
  const both = "10.0.0.2,cloudflare";
  test.each([
    [{ proxy: "cloudflare", cf: peer("172.68.1.1:80"), "cf-connecting-ip": "198.51.100.7" }, "198.51.100.7"],
    [
      {
        proxy: "cloudflare",
        cf: peer("[2606:4700::1]:80"),
        "cf-connecting-ip": "2001:db8:1:2::9",
        "x-forwarded-for": "203.0.113.1",
      },
      "2001:db8:1:2::/64",
    ],
    // Caddy between Cloudflare and us.
    [
      {
        proxy: both,
        cf: peer("10.0.0.2:80"),
        "cf-connecting-ip": "198.51.100.7",
        "x-forwarded-for": "203.0.113.1, 172.68.1.1",
      },
      "198.51.100.7",
    ],
    // Somebody who comes to Caddy directly and says that they are Cloudflare.
    [
      {
        proxy: both,
        cf: peer("10.0.0.2:80"),
        "cf-connecting-ip": "203.0.113.1",
        "x-forwarded-for": "172.68.1.1, 198.51.100.1",
      },
      "198.51.100.1",
    ],
    // Or to us.
    [
      { proxy: both, cf: peer("198.51.100.1:80"), "cf-connecting-ip": "203.0.113.1", "x-forwarded-for": "172.68.1.1" },
      "198.51.100.1",
    ],
    // Cloudflare that is not trusted is a client like others.
    [
      { proxy: "10.0.0.2", cf: peer("172.68.1.1:80"), "cf-connecting-ip": "203.0.113.1", "x-forwarded-for": "1.1.1.1" },
      "172.68.1.1",
    ],
    [{ proxy: "cloudflare", cf: peer("172.68.1.1:80"), "x-forwarded-for": "203.0.113.1" }, "172.68.1.1"],
    [{ proxy: "cloudflare", cf: peer("172.68.1.1:80"), "cf-connecting-ip": "1.2.3.4, 5.6.7.8" }, "172.68.1.1"],
  ] satisfies [Told, string][])("%j → %s", (told, expected) => {
    expect(address(told)).toBe(expected);
  });
});

describe("[ADDR7] whatever a client writes gains it nothing", () => {
  const v4 = fc.ipV4();
  const v6 = fc.ipV6();
  const port = fc.integer({ min: 1, max: 65_535 });
  const written = fc.oneof(
    v4,
    v6,
    fc.tuple(v4, port).map(([ip, at]) => `${ip}:${at}`),
    fc.tuple(v6, port).map(([ip, at]) => `[${ip}]:${at}`),
    fc.constantFrom("127.0.0.1", "10.0.0.2", "172.68.1.1", "::ffff:10.0.0.2", "2606:4700::1", "", " ", "unknown", "_x"),
    // What a header may hold at all.
    fc.stringMatching(/^[\x21-\x2b\x2d-\x7e]{0,40}$/),
  );
  const lies = fc.record({
    "x-forwarded-for": fc.array(written, { maxLength: 6 }).map((hops) => hops.join(", ")),
    "cf-connecting-ip": written,
    "x-forwarded-proto": fc.constantFrom("https", "http", "https, http", "http, https", "wss", ""),
    "x-real-ip": written,
    forwarded: written.map((ip) => `for=${ip};proto=https`),
  });
  const proxies = fc.constantFrom("", "10.0.0.2", "10.0.0.0/24, fd00::/8", "cloudflare", "10.0.0.2,cloudflare");
  /** Neither in a range above nor Cloudflare's. */
  const stranger = fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 254 }), port).map(([last, at]) => `198.51.100.${last}:${at}`),
    fc.tuple(fc.integer({ min: 1, max: 0xffff }), port).map(([last, at]) => `[2001:db8::${last.toString(16)}]:${at}`),
  );
  const bare = (at: string) => at.replace(/:\d+$/, "").replaceAll(/[[\]]/g, "");

  test("without a proxy between", () => {
    fc.assert(
      fc.property(stranger, proxies, lies, (from, proxy, said) => {
        const told = { cf: peer(from), proxy };
        expect(address({ ...told, ...said })).toBe(address(told));
        expect(secure({ ...told, ...said })).toBe(false);
      }),
    );
  });

  test("through one of ours, which adds the peer and says how it came", () => {
    fc.assert(
      fc.property(stranger, fc.constantFrom("10.0.0.2", "10.0.0.2,cloudflare"), lies, (from, proxy, said) => {
        const forwarded = `${said["x-forwarded-for"]}, ${bare(from)}`;
        const told = { cf: peer("10.0.0.2:1234"), proxy, ...said, "x-forwarded-for": forwarded };
        expect(address({ ...told, "x-forwarded-proto": "https" })).toBe(address({ cf: peer(from) }));
        expect(secure({ ...told, "x-forwarded-proto": "http" })).toBe(false);
      }),
    );
  });

  test("through two of ours", () => {
    fc.assert(
      fc.property(stranger, lies, (from, said) => {
        const forwarded = `${said["x-forwarded-for"]}, ${bare(from)}, 10.0.0.3`;
        const told = { cf: peer("10.0.0.2:1234"), proxy: "10.0.0.0/24", ...said, "x-forwarded-for": forwarded };
        expect(address(told)).toBe(address({ cf: peer(from) }));
      }),
    );
  });

  test("through Cloudflare and one of ours", () => {
    fc.assert(
      fc.property(stranger, lies, (from, said) => {
        const forwarded = `${said["x-forwarded-for"]}, 172.68.1.1`;
        const told = { cf: peer("10.0.0.2:1"), proxy: "10.0.0.2,cloudflare", ...said, "x-forwarded-for": forwarded };
        expect(address({ ...told, "cf-connecting-ip": bare(from) })).toBe(address({ cf: peer(from) }));
      }),
    );
  });

  test("on Cloudflare", () => {
    fc.assert(
      fc.property(stranger, lies, (from, said) => {
        const told = { cf: { colo: "CDG" }, ...said, "cf-connecting-ip": bare(from) };
        expect(address(told)).toBe(address({ cf: peer(from) }));
      }),
    );
  });
});

test("[ADDR5] a request came by TLS if its URL says so, or a trusted proxy does", () => {
  expect(secure({ url: "https://chat.example/" })).toBe(true);
  expect(secure({ cf: peer("10.1.2.3:80"), proxy: "10.0.0.0/8", "x-forwarded-proto": "https" })).toBe(true);
  expect(secure({ cf: peer("10.1.2.3:80"), proxy: "10.0.0.0/8", "x-forwarded-proto": "http" })).toBe(false);
  expect(secure({ cf: peer("10.1.2.3:80"), proxy: "10.0.0.0/8" })).toBe(false);
  // The last word is the proxy's own.
  expect(secure({ cf: peer("10.1.2.3:80"), proxy: "10.0.0.0/8", "x-forwarded-proto": "https, http" })).toBe(false);
  expect(secure({ cf: peer("198.51.100.1:80"), proxy: "10.0.0.0/8", "x-forwarded-proto": "https" })).toBe(false);
  expect(secure({ cf: peer("10.1.2.3:80"), "x-forwarded-proto": "https" })).toBe(false);
});

test("[ADDR8] a proxy that is not named is noticed where it hands somebody on; Cloudflare's own words are none of it", () => {
  const unnamed = (told: Told) => isFromUnnamedProxy(...request(told));
  const handedOn = { cf: peer("127.0.0.1:5000"), "x-forwarded-for": "198.51.100.7" };
  expect(unnamed(handedOn)).toBe(true);
  expect(unnamed({ ...handedOn, proxy: "10.0.0.0/8" })).toBe(true);
  expect(unnamed({ ...handedOn, proxy: "127.0.0.1" })).toBe(false);
  expect(unnamed({ cf: peer("127.0.0.1:5000") })).toBe(false);
  const cloudflare = { "cf-connecting-ip": "192.0.2.1", "x-forwarded-for": "198.51.100.7" };
  expect(unnamed({ ...cloudflare, cf: { colo: "CDG" } })).toBe(false);
});
