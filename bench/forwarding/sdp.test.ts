import { expect, test } from "vitest";
import { describe, endOf } from "./sdp.ts";

const fingerprint = Array.from({ length: 32 }, () => "AB").join(":");

test("[BF4] an end that is described is found again in its description", () => {
  const end = {
    usernameFragment: "abcd",
    password: "p".repeat(24),
    iceLite: false,
    fingerprint,
    ip: "192.0.2.7",
    port: 5_000,
  };
  expect(endOf(describe(end, "recvonly"))).toEqual(end);
  expect(describe(end, "recvonly")).not.toContain("a=ssrc:");
  expect(describe(end, "sendonly", 7)).toContain("a=sendonly\r\n");
  expect(describe(end, "sendonly", 7)).toContain("a=ssrc:7 cname:");
});

test("[BF5] of what Janus offers, the first address of IPv4 is taken; without any, or without a key, it is refused", () => {
  const offer = [
    "v=0",
    `a=fingerprint:sha-256 ${fingerprint}`,
    "a=ice-lite",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "a=ice-ufrag:Z8jk",
    "a=ice-pwd:AOeseiaE1r1GXYhy5mSIfm",
    "a=candidate:1 1 udp 2015363839 fd00::2 60759 typ host",
    "a=candidate:2 1 udp 2015363327 192.0.2.2 51621 typ host",
    "",
  ];
  expect(endOf(offer.join("\r\n"))).toMatchObject({
    iceLite: true,
    ip: "192.0.2.2",
    port: 51_621,
    usernameFragment: "Z8jk",
  });
  const without = (text: string): string => offer.filter((line) => !line.includes(text)).join("\r\n");
  expect(() => endOf(without("192.0.2.2"))).toThrow("without an address");
  expect(() => endOf(without("fingerprint"))).toThrow("fingerprint");
});
