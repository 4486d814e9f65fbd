import type { JoinId } from "@lescopains/protocol/ids";
import { expect, test } from "vitest";
import { iceFor } from "./ice.ts";

const join = "018f0000-0000-7000-8000-000000000001" as JoinId;

test("[VO14] without servers set there are none, and everything is tried", async () => {
  expect(await iceFor({}, join, 0)).toEqual({ iceServers: [], iceTransportPolicy: "all" });
  expect(await iceFor({ ICE_TRANSPORT_POLICY: "relay" }, join, 0)).toMatchObject({ iceTransportPolicy: "all" });
});

test("[VO14] TURN credentials end after 12 hours, name the stay, and are what coturn's `use-auth-secret` computes", async () => {
  const settings = { STUN_URLS: "stun:a", TURN_URLS: "turn:b?transport=udp, turns:c", TURN_SECRET: "north" };
  const { iceServers, iceTransportPolicy } = await iceFor(
    { ...settings, ICE_TRANSPORT_POLICY: "relay" },
    join,
    1_000_000,
  );
  expect(iceTransportPolicy).toBe("relay");
  // printf 44200:018f… | openssl dgst -sha1 -hmac north -binary | base64
  expect(iceServers).toEqual([
    { urls: ["stun:a"] },
    {
      urls: ["turn:b?transport=udp", "turns:c"],
      username: `44200:${join}`,
      credential: "7H+X9S2Rso9Pb2UHo5V+j1iExNk=",
    },
  ]);
});

test("[VO14] TURN servers without their secret are a mistake of who runs this", async () => {
  await expect(iceFor({ TURN_URLS: "turn:b" }, join, 0)).rejects.toThrow("TURN_SECRET");
});
