import { shake128 } from "@noble/hashes/sha3.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtocolError } from "../errors.ts";
import { nobleCurve } from "../platform.ts";
import { encodeAddresses } from "./address.ts";
import {
  decodeKyberPreKey,
  decodePreKey,
  decodeSignedPreKey,
  encodeKyberPreKey,
  encodePreKey,
  encodeSignedPreKey,
  generateIdentity,
  generateKyberPreKey,
  generatePreKeys,
  generateRegistrationId,
  generateSignedPreKey,
  maxPreKeyId,
} from "./keys.ts";

const source = shake128.create().update(Uint8Array.of(1));
const platform = { random: (length: number) => source.xof(length), curve: nobleCurve };

test("[SE17] prekeys that were stored are read as they were", async () => {
  const identity = await generateIdentity(platform);
  const [preKey] = await generatePreKeys(platform, 1, 1);
  const signed = await generateSignedPreKey(platform, identity, 2, 1_234_567_890_123);
  const kyber = await generateKyberPreKey(platform, identity, 3, 1_234_567_890_123);
  if (preKey === undefined) throw new Error("no prekey");
  expect(decodePreKey(encodePreKey(preKey))).toEqual(preKey);
  expect(decodeSignedPreKey(encodeSignedPreKey(signed))).toEqual(signed);
  expect(decodeKyberPreKey(encodeKyberPreKey(kyber))).toEqual(kyber);
  expect(() => decodeSignedPreKey(encodePreKey(preKey))).toThrow(ProtocolError);
  expect(() => decodePreKey(encodeKyberPreKey(kyber))).toThrow(ProtocolError);
});

test("[SE18] any bytes give a prekey or a typed error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const decode of [decodePreKey, decodeSignedPreKey, decodeKyberPreKey]) {
        expect(() => decode(bytes)).toThrow(ProtocolError);
      }
    }),
  );
});

test("[SE8] ids of prekeys go up and begin again behind the last one", async () => {
  const ids = (await generatePreKeys(platform, maxPreKeyId - 1, 4)).map(({ id }) => id);
  expect(ids).toEqual([maxPreKeyId - 1, maxPreKeyId, 1, 2]);
});

test("[SE1] registration ids are 1 … 16380", () => {
  expect(generateRegistrationId(() => Uint8Array.of(0, 0))).toBe(1);
  expect(generateRegistrationId(() => Uint8Array.of(0x3f, 0xfb))).toBe(16_380);
  expect(generateRegistrationId(() => Uint8Array.of(0x3f, 0xfc))).toBe(1);
});

test.each([
  ["an account id that is no UUID", { accountId: "alice", deviceId: 1 }],
  ["device 0", { accountId: "11111111-1111-4111-8111-111111111111", deviceId: 0 }],
  ["device 128", { accountId: "11111111-1111-4111-8111-111111111111", deviceId: 128 }],
  ["half a device", { accountId: "11111111-1111-4111-8111-111111111111", deviceId: 1.5 }],
])("[SE14] %s is no address", (_, address) => {
  const good = { accountId: "11111111-1111-4111-8111-111111111111", deviceId: 1 };
  expect(() => encodeAddresses(good, address)).toThrow(ProtocolError);
});
