import { ed25519, ED25519_TORSION_SUBGROUP } from "@noble/curves/ed25519.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat } from "../bytes.ts";
import { nobleCurve, type Platform, webCryptoCurve } from "../platform.ts";
import { agree, checkBaseKey, checkPublicKey, generateKeyPair, publicKeyOf, sign, verify } from "./curve.ts";

const random = (length: number) => globalThis.crypto.getRandomValues(new Uint8Array(length));
const p = 2n ** 255n - 19n;
const message = Uint8Array.of(1, 2, 3);

/** A u-coordinate as a public key on the wire. */
function key(u: bigint | string): Uint8Array {
  const bytes = typeof u === "string" ? hexToBytes(u) : hexToBytes(u.toString(16).padStart(64, "0")).toReversed();
  return concat(Uint8Array.of(5), bytes);
}

/** Orders 1, 2, 4 and 8 on the curve, and order 4 on its twist. */
const lowOrder = [
  0n,
  1n,
  p - 1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
];

describe.each<[string, Platform]>([
  ["noble", { random, curve: nobleCurve }],
  ["WebCrypto", { random, curve: await webCryptoCurve(globalThis.crypto.subtle) }],
])("%s", (_name, platform) => {
  test("[CU1] X25519 gives the results of RFC 7748, 5.2", async () => {
    const u = await platform.curve.x25519(
      hexToBytes("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
      hexToBytes("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
    );
    expect(bytesToHex(u)).toBe("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  });

  test("[CU1] two parties agree as in RFC 7748, 6.1", async () => {
    const alice = hexToBytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    const bob = hexToBytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    const alicePublic = await publicKeyOf(platform, alice);
    const bobPublic = await publicKeyOf(platform, bob);
    expect(bytesToHex(alicePublic)).toBe("058520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    expect(bytesToHex(bobPublic)).toBe("05de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    const secret = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    expect(bytesToHex(await agree(platform, alice, bobPublic))).toBe(secret);
    expect(bytesToHex(await agree(platform, bob, alicePublic))).toBe(secret);
  });

  test("[CU2] a key of low order, not canonical, or of another type or length is refused", async () => {
    const { privateKey, publicKey } = await generateKeyPair(platform);
    const highBit = Uint8Array.from(publicKey);
    highBit[32]! |= 0x80;
    const otherType = Uint8Array.from(publicKey);
    otherType[0] = 6;
    const refused = [
      ...lowOrder.map(key),
      key(p),
      key(p + 1n),
      key(p + 2n),
      highBit,
      otherType,
      publicKey.subarray(0, 32),
      concat(publicKey, Uint8Array.of(0)),
      new Uint8Array(),
    ];
    for (const bytes of refused) {
      expect(() => checkPublicKey(bytes)).toThrow(expect.objectContaining({ code: "invalid_key" }));
      await expect(agree(platform, privateKey, bytes)).rejects.toMatchObject({ code: "invalid_key" });
      expect(await verify(platform, bytes, message, new Uint8Array(64))).toBe(false);
    }
    expect(checkPublicKey(publicKey)).toBe(publicKey);
  });

  test("[CU2] X25519 gives zeros for a point of low order", async () => {
    for (const u of lowOrder) {
      expect(await platform.curve.x25519(random(32), key(u).subarray(1))).toEqual(new Uint8Array(32));
    }
  });

  test("[XE1] a signature made by Signal's own implementation is accepted, and no other one", async () => {
    const publicKey = hexToBytes("05ab7e717d4a163b7d9a1d8071dfe9dcf8cdcd1cea3339b6356be84d887e322c64");
    const signed = hexToBytes("05edce9d9c415ca78cb7252e72c2c4a554d3eb29485a0e1d503118d1a82d99fb4a");
    const signature = hexToBytes(
      "5de88ca9a89b4a115da79109c67c9c7464a3e4180274f1cb8c63c2984e286dfbede82deb9dcd9fae0bfbb821569b3d9001bd8130cd11d486cef047bd60b86e88",
    );
    expect(await verify(platform, publicKey, signed, signature)).toBe(true);
    for (let byte = 0; byte < 64; byte++) {
      const altered = Uint8Array.from(signature);
      altered[byte]! ^= 1;
      expect(await verify(platform, publicKey, signed, altered)).toBe(false);
    }
  });

  test("[XE2] what one signs, everyone verifies, and only with that key and that message", async () => {
    const { privateKey, publicKey } = await generateKeyPair(platform);
    const other = await generateKeyPair(platform);
    for (let length = 0; length < 8; length++) {
      const bytes = random(length * 17);
      const signature = await sign(platform, privateKey, bytes);
      expect(await verify(platform, publicKey, bytes, signature)).toBe(true);
      expect(await verify(platform, other.publicKey, bytes, signature)).toBe(false);
      expect(await verify(platform, publicKey, concat(bytes, Uint8Array.of(0)), signature)).toBe(false);
      expect(await verify(platform, publicKey, bytes, signature.subarray(1))).toBe(false);
    }
  });

  test("[XE3] s may be unreduced up to 253 bits, as XEdDSA says, and not beyond", async () => {
    const { privateKey, publicKey } = await generateKeyPair(platform);
    const signature = await sign(platform, privateKey, message);
    const s = BigInt(`0x${bytesToHex(signature.subarray(32).toReversed())}`);
    const sign255 = s & (1n << 255n);
    const order = ed25519.Point.Fn.ORDER;
    const withS = (value: bigint) =>
      concat(signature.subarray(0, 32), hexToBytes(value.toString(16).padStart(64, "0")).toReversed());
    const unreduced = (s - sign255 + order) | sign255;
    expect(await verify(platform, publicKey, message, withS(unreduced))).toBe(true);
    expect(await verify(platform, publicKey, message, withS(s + (1n << 253n)))).toBe(false);
  });

  test("[XE4] an XEdDSA signature is an Ed25519 signature under the Edwards form of the key", async () => {
    const { privateKey } = await generateKeyPair(platform);
    const signature = await sign(platform, privateKey, message);
    const scalar = ed25519.Point.Fn.create(BigInt(`0x${bytesToHex(privateKey.toReversed())}`));
    const edwards = ed25519.Point.BASE.multiply(scalar).toBytes();
    expect(signature[63]! & 0x80).toBe(edwards[31]! & 0x80);
    signature[63]! &= 0x7f;
    expect(ed25519.verify(signature, message, edwards)).toBe(true);
  });
});

test("[CU3] a base key with a torsion part, or on the twist, is refused", async () => {
  const point = ed25519.Point.BASE.multiply(12345n);
  const torsion = ed25519.Point.fromHex(ED25519_TORSION_SUBGROUP[1]!);
  const inGroup = concat(Uint8Array.of(5), ed25519.utils.toMontgomery(point.toBytes()));
  const outside = concat(Uint8Array.of(5), ed25519.utils.toMontgomery(point.add(torsion).toBytes()));
  expect(checkBaseKey(inGroup)).toBe(inGroup);
  for (const bytes of [outside, key(2n), key(0n), inGroup.subarray(1)]) {
    expect(() => checkBaseKey(bytes)).toThrow(expect.objectContaining({ code: "invalid_key" }));
  }
});

test("[XE5] no signature of random bytes is accepted, and none makes verification fail otherwise", async () => {
  const platform = { random, curve: nobleCurve };
  const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
  await fc.assert(
    fc.asyncProperty(
      bytes(40),
      bytes(8),
      fc.oneof(bytes(70), fc.uint8Array({ minLength: 64, maxLength: 64 })),
      async (k, m, s) => {
        expect(await verify(platform, k, m, s)).toBe(false);
        expect(await verify(platform, concat(Uint8Array.of(5), k.subarray(0, 32)), m, s)).toBe(false);
      },
    ),
    { seed: 7748, numRuns: 200 },
  );
});
