import { webcrypto } from "node:crypto";
import { nobleCurve, type Platform } from "@lescopains/e2ee/platform";
import { generateKeyPair, sign } from "@lescopains/e2ee/primitives/curve";
import { ed25519, ED25519_TORSION_SUBGROUP } from "@noble/curves/ed25519.js";
import { numberToBytesLE } from "@noble/curves/utils.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { verifierOf } from "./xeddsa.ts";

const platform: Platform = {
  random: (length) => webcrypto.getRandomValues(new Uint8Array(length)),
  curve: nobleCurve,
};
const message = new TextEncoder().encode("a device list");
const { Fp, Fn } = ed25519.Point;

/** A u-coordinate as a public key on the wire. */
function key(u: bigint): Uint8Array {
  return Uint8Array.from([5, ...numberToBytesLE(u, 32)]);
}

async function signed(text = message) {
  const { privateKey, publicKey } = await generateKeyPair(platform);
  const signature = Uint8Array.from(await sign(platform, privateKey, text));
  const verifier = verifierOf(publicKey);
  if (verifier === null) throw new Error("an honest key");
  return { publicKey, signature, verifier };
}

test("[KEY2] what the engine signs is verified, with either sign of the Edwards key", async () => {
  const signs = new Set<number>();
  for (let n = 0; n < 24; n += 1) {
    const text = platform.random(n) as Uint8Array<ArrayBuffer>;
    const { signature, verifier } = await signed(text);
    expect(await verifier.verify(text, signature)).toBe(true);
    signs.add((signature[63] ?? 0) & 0x80);
  }
  expect(signs.size).toBe(2);
});

test("[KEY2] a signature with any bit changed, of another message or by another key, is none", async () => {
  const { signature, verifier } = await signed();
  await fc.assert(
    fc.asyncProperty(fc.nat(511), async (bit) => {
      const changed = Uint8Array.from(signature);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await verifier.verify(message, changed)).toBe(false);
    }),
    { seed: 20_261_125, numRuns: 200 },
  );
  expect(await verifier.verify(new TextEncoder().encode("another list"), signature)).toBe(false);
  expect(await (await signed()).verifier.verify(message, signature)).toBe(false);
  for (const length of [0, 63, 65]) expect(await verifier.verify(message, new Uint8Array(length))).toBe(false);
});

test("[KEY2] an s that is not reduced is refused", async () => {
  const { signature, verifier } = await signed();
  const signBit = (signature[63] ?? 0) & 0x80;
  const s = Uint8Array.from(signature.subarray(32));
  s[31] = (s[31] ?? 0) & 0x7f;
  const value = s.reduceRight((all, byte) => (all << 8n) | BigInt(byte), 0n);
  const grown = numberToBytesLE(value + Fn.ORDER, 32);
  grown[31] = (grown[31] ?? 0) | signBit;
  expect(await verifier.verify(message, Uint8Array.from([...signature.subarray(0, 32), ...grown]))).toBe(false);
});

test("[KEY2] a key that nobody can have made honestly verifies nothing", async () => {
  const { publicKey } = await signed();
  const u = publicKey.subarray(1).reduceRight((all, byte) => (all << 8n) | BigInt(byte), 0n);
  const otherType = Uint8Array.from(publicKey);
  otherType[0] = 6;
  const torsion = ED25519_TORSION_SUBGROUP.map((hex) => ed25519.Point.fromHex(hex));
  const mixed = torsion
    .slice(1)
    .map((point) => ed25519.Point.BASE.multiply(77n).add(point).toAffine().y)
    .map((y) => Fp.div(Fp.add(1n, y), Fp.sub(1n, y)));
  const low = torsion.map((point) => point.toAffine().y).map((y) => (y === 1n ? 0n : Fp.div(1n + y, Fp.sub(1n, y))));
  const offCurve = [2n, 3n, 5n, 8n].filter((one) => verifierOf(key(one)) === null);
  expect(offCurve.length).toBeGreaterThan(0);
  for (const bad of [
    otherType,
    publicKey.subarray(0, 32),
    Uint8Array.from([...publicKey, 0]),
    key(Fp.ORDER),
    key(Fp.ORDER - 1n),
    key(Fp.ORDER + 9n),
    key(u | (1n << 255n)),
    ...mixed.map(key),
    ...low.map(key),
  ])
    expect(verifierOf(bad)).toBeNull();
});
