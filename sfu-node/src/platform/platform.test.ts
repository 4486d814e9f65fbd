import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { addressBook, limitedAddress } from "./address.ts";
import { Bucket, Limiter } from "./bucket.ts";

test("[SF13] a bucket gives what it has, says when there is more, and refills up to its burst", () => {
  const bucket = new Bucket(10, 3, 0);
  for (let n = 0; n < 3; n += 1) expect(bucket.take(1, 0).ok).toBe(true);
  expect(bucket.take(1, 0)).toEqual({ ok: false, retryAfterMs: 100 });
  expect(bucket.take(1, 100).ok).toBe(true);
  expect(bucket.take(3, 10_000).ok).toBe(true);
  expect(bucket.take(1, 10_000).ok).toBe(false);
  // A clock that goes back gives nothing.
  expect(bucket.take(1, 0).ok).toBe(false);
});

test("[SF13] however many addresses ask, memory is bounded", () => {
  const limiter = new Limiter(1, 2, 100);
  for (let n = 0; n < 10_000; n += 1) limiter.take(`address ${n}`, 0);
  expect(limiter.size).toBeLessThanOrEqual(100);
});

test("[SF13] an address is the peer's, the client's behind a trusted proxy, and of IPv6 the /64", () => {
  const from = (remoteAddress: string, forwarded?: string, more: { trusted?: string; connecting?: string } = {}) =>
    limitedAddress(
      {
        socket: { remoteAddress },
        headers: { "x-forwarded-for": forwarded, "cf-connecting-ip": more.connecting },
      } as unknown as IncomingMessage,
      addressBook(more.trusted ?? "127.0.0.1"),
    );
  expect(from("192.0.2.1", "198.51.100.1")).toBe("192.0.2.1");
  expect(from("127.0.0.1", "203.0.113.9, 198.51.100.1")).toBe("198.51.100.1");
  expect(from("::ffff:127.0.0.1", "198.51.100.1")).toBe("198.51.100.1");
  expect(from("127.0.0.1")).toBe("127.0.0.1");
  expect(from("127.0.0.1", "unknown")).toBe("127.0.0.1");
  expect(from("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
  expect(from("2001:db8::6")).toBe("2001:db8:0:0::/64");
  expect(from("127.0.0.1", "2001:db8:1:2::/64")).toBe("2001:db8:1:2::/64");
  expect(from("127.0.0.1", "[2001:db8:1:2::9]:443")).toBe("2001:db8:1:2::/64");

  // Several hops, a range, and Cloudflare, which is believed only when it is the one that called.
  const trusted = "172.29.87.0/24, fd00::1, cloudflare";
  expect(from("172.29.87.2", "203.0.113.9, 198.51.100.1, fd00::1", { trusted })).toBe("198.51.100.1");
  const connecting = "198.51.100.7";
  expect(from("172.29.87.2", "203.0.113.9, 172.68.1.1", { trusted, connecting })).toBe(connecting);
  expect(from("172.29.87.2", "198.51.100.1", { trusted, connecting })).toBe("198.51.100.1");
  expect(from("172.29.87.2", "172.68.1.1", { connecting })).toBe("172.29.87.2");
  expect(from("172.29.87.2", "203.0.113.9, 172.68.1.1", { trusted })).toBe("172.68.1.1");
});
