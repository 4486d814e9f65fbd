import { hexToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { concat } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { digitsOf } from "./digits.ts";
import { compareScannable, encodeScannable } from "./scannable.ts";
import { safetyNumber } from "./safety-number.ts";
import { nobleSha512, webCryptoSha512 } from "./sha512.ts";

const sha512 = nobleSha512(() => Promise.resolve());
const alice = {
  accountId: Uint8Array.from({ length: 16 }, (_, index) => index),
  identityKey: hexToBytes("058520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"),
};
const bob = {
  accountId: Uint8Array.from({ length: 16 }, (_, index) => 255 - index),
  identityKey: hexToBytes("05de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
};

test("[SN1] both sides see the same 60 digits, and codes that fit", async () => {
  const ours = await safetyNumber(alice, bob, sha512);
  const theirs = await safetyNumber(bob, alice, sha512);
  expect(ours.digits).toMatch(/^\d{60}$/);
  expect(theirs.digits).toBe(ours.digits);
  expect(compareScannable(ours.scannable, theirs.scannable)).toBe("same");
  expect(compareScannable(theirs.scannable, ours.scannable)).toBe("same");
});

test("[SN1] the digits of the keys of RFC 7748 are these", async () => {
  // The official library's, 0.103.0.
  expect((await safetyNumber(alice, bob, sha512)).digits).toBe(
    "011665830553615305150723407991946297026780519613418601825198",
  );
});

test("[SN1] another key or another account has other digits", async () => {
  const { digits } = await safetyNumber(alice, bob, sha512);
  expect((await safetyNumber(alice, { ...bob, identityKey: alice.identityKey }, sha512)).digits).not.toBe(digits);
  expect((await safetyNumber(alice, { ...bob, accountId: alice.accountId }, sha512)).digits).not.toBe(digits);
});

test("[SN2] the thread is given away while it computes", async () => {
  let pauses = 0;
  let isPausing = false;
  const pausing = nobleSha512(async () => {
    expect(isPausing).toBe(false);
    isPausing = true;
    await new Promise((resolve) => setImmediate(resolve));
    isPausing = false;
    pauses++;
  });
  await safetyNumber(alice, bob, pausing);
  expect(pauses).toBe((2 * 5_200) / 50);
});

test("[SN2] WebCrypto gives the same", async () => {
  const { subtle } = globalThis.crypto;
  expect(await safetyNumber(alice, bob, webCryptoSha512(subtle))).toEqual(await safetyNumber(alice, bob, sha512));
});

test("[SN3] groups of five digits, with their zeros, and the lower half first", () => {
  const low = Uint8Array.from([...Array.from({ length: 25 }, () => 0), 0, 0, 0, 0, 1]);
  const high = Uint8Array.from({ length: 64 }, () => 0xff);
  const digits = `${"0".repeat(29)}1${"27775".repeat(6)}`;
  expect((2 ** 40 - 1) % 100_000).toBe(27_775);
  expect(digitsOf(low, high)).toBe(digits);
  expect(digitsOf(high, low)).toBe(digits);
});

test("[SN4] our own code, another version and a third person's code are not the same", () => {
  const [a, b, c] = [1, 2, 3].map((value) => new Uint8Array(64).fill(value)) as [Uint8Array, Uint8Array, Uint8Array];
  const ours = encodeScannable(a, b);
  expect(compareScannable(ours, ours)).toBe("wrong_users");
  expect(compareScannable(ours, encodeScannable(b, c))).toBe("different");
  expect(compareScannable(ours, encodeScannable(c, a))).toBe("different");
  // Both halves wrong is what somebody between both sides causes: never a mere mix-up.
  expect(compareScannable(ours, encodeScannable(c, c))).toBe("different");
  const other = encodeScannable(b, a);
  other[1] = 1;
  expect(compareScannable(ours, other)).toBe("wrong_version");
});

test("[SN5] a key or an account id that is none is refused", async () => {
  for (const wrong of [
    { ...bob, identityKey: bob.identityKey.subarray(1) },
    { ...bob, identityKey: concat(Uint8Array.of(5), new Uint8Array(32)) },
    { ...bob, accountId: new Uint8Array(15) },
  ]) {
    await expect(safetyNumber(alice, wrong, sha512)).rejects.toMatchObject({ code: "invalid_key" });
  }
});

test("[SN6] any bytes that are scanned get a result or a typed refusal, and only the right ones are the same", () => {
  const [a, b] = [new Uint8Array(64).fill(1), new Uint8Array(64).fill(2)];
  const ours = encodeScannable(a, b);
  const right = encodeScannable(b, a);
  const changed = fc
    .tuple(fc.nat(73), fc.integer({ min: 1, max: 255 }))
    .map(([at, flip]) => Uint8Array.from(right, (byte, index) => (index === at ? byte ^ flip : byte)));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), changed), (scanned) => {
      try {
        expect(compareScannable(ours, scanned)).not.toBe("same");
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
        expect((error as ProtocolError).code).toBe("invalid_message");
      }
    }),
    { seed: 41_001, numRuns: 1_000 },
  );
});
