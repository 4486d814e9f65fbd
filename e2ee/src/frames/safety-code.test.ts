import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { nobleCurve } from "../platform.ts";
import { generateKeyPair } from "../primitives/curve.ts";
import { seededRandom } from "../testing/seeded-random.ts";
import { type IdentifiedMember, safetyCode } from "./safety-code.ts";

const random = seededRandom("call safety code");
const callId = "00000000-0000-4000-8000-0000000000ca";
const sha512 = async (data: Uint8Array) => new Uint8Array(createHash("sha512").update(data).digest());

async function identity(): Promise<Uint8Array> {
  return (await generateKeyPair({ random, curve: nobleCurve })).publicKey;
}

const ana: IdentifiedMember = {
  accountId: "11111111-1111-4111-8111-111111111111",
  deviceId: 1,
  joinId: "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
  keyEpoch: 1,
  commitment: new Uint8Array(32).fill(1),
  identityKey: await identity(),
};
const ben: IdentifiedMember = {
  ...ana,
  accountId: "22222222-2222-4222-8222-222222222222",
  joinId: "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb",
  commitment: new Uint8Array(32).fill(2),
  identityKey: await identity(),
};

test("[FR18] the same members give the same 30 digits, in whatever order they are named", async () => {
  const code = await safetyCode(callId, 3, [ana, ben], sha512);
  expect(code).toMatch(/^\d{30}$/);
  expect(await safetyCode(callId, 3, [ben, ana], sha512)).toBe(code);
  expect(code).toMatchInlineSnapshot(`"499254313639611527316582494893"`);
});

test("[FR18] another call, epoch, member, identity or key gives others", async () => {
  const codes = await Promise.all([
    safetyCode(callId, 3, [ana, ben], sha512),
    safetyCode(ana.joinId, 3, [ana, ben], sha512),
    safetyCode(callId, 4, [ana, ben], sha512),
    safetyCode(callId, 3, [ana], sha512),
    safetyCode(callId, 3, [ana, { ...ben, identityKey: ana.identityKey }], sha512),
    safetyCode(callId, 3, [ana, { ...ben, deviceId: 2 }], sha512),
    safetyCode(callId, 3, [ana, { ...ben, joinId: callId }], sha512),
    safetyCode(callId, 3, [ana, { ...ben, keyEpoch: 2 }], sha512),
    safetyCode(callId, 3, [ana, { ...ben, commitment: ana.commitment }], sha512),
  ]);
  expect(new Set(codes).size).toBe(codes.length);
});
