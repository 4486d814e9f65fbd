import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { bytesToNumberLE } from "@noble/curves/utils.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { concat, equal, wipe } from "./bytes.ts";

/** The world that comes in: the engine reads no randomness, clock or global by itself. */
export interface Platform {
  /** `length` random bytes, from the platform's cryptographic source. */
  readonly random: (length: number) => Uint8Array;
  readonly curve: Curve;
}

/** Raw operations on Curve25519, which primitives/curve.ts turns into agreement and XEdDSA. */
export interface Curve {
  /** X25519 (RFC 7748): a scalar and a u-coordinate of 32 bytes. Gives 32 zeros for a u of low order. */
  readonly x25519: (scalar: Uint8Array, u: Uint8Array) => Promise<Uint8Array>;
  /** Ed25519 verification without the cofactor (RFC 8032, 5.1.7): keys of 32 bytes, signatures of 64. */
  readonly verifyEd25519: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => Promise<boolean>;
}

const { Point } = ed25519;

/**
 * Curve25519 in JavaScript, for where WebCrypto lacks it. The ladder of @noble/curves avoids branches on secrets, but BigInt
 * gives no promise of constant time.
 */
export const nobleCurve: Curve = {
  async x25519(scalar, u) {
    if (equal(u, x25519.GuBytes)) return x25519.scalarMultBase(scalar);
    try {
      return x25519.scalarMult(scalar, u);
    } catch {
      return new Uint8Array(32);
    }
  },
  async verifyEd25519(publicKey, message, signature) {
    const r = signature.subarray(0, 32);
    const s = bytesToNumberLE(signature.subarray(32));
    if (s >= Point.Fn.ORDER) return false;
    try {
      const key = Point.fromBytes(publicKey);
      const h = Point.Fn.create(bytesToNumberLE(sha512(concat(r, publicKey, message))));
      return equal(Point.BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(h)).toBytes(), r);
    } catch {
      return false;
    }
  },
};

/** What `webCryptoCurve` needs of `crypto.subtle`. */
export interface WebCryptoSubtle {
  importKey(
    format: "raw" | "pkcs8",
    bytes: Uint8Array<ArrayBuffer>,
    algorithm: string,
    extractable: boolean,
    usages: ("deriveBits" | "verify")[],
  ): Promise<unknown>;
  deriveBits(algorithm: { name: string; public: unknown }, key: unknown, bits: number): Promise<ArrayBuffer>;
  verify(
    algorithm: string,
    key: unknown,
    signature: Uint8Array<ArrayBuffer>,
    message: Uint8Array<ArrayBuffer>,
  ): Promise<boolean>;
}

/** PKCS #8 of an X25519 private key up to the 32 bytes themselves (RFC 8410, 7): the only way to import a raw one. */
const pkcs8Prefix = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20);

function webCryptoX25519(subtle: WebCryptoSubtle): Curve["x25519"] {
  return async (scalar, u) => {
    const encoded = concat(pkcs8Prefix, scalar) as Uint8Array<ArrayBuffer>;
    const [key, other] = await Promise.all([
      subtle.importKey("pkcs8", encoded, "X25519", false, ["deriveBits"]),
      subtle.importKey("raw", Uint8Array.from(u), "X25519", false, []),
    ]);
    wipe(encoded);
    try {
      return new Uint8Array(await subtle.deriveBits({ name: "X25519", public: other }, key, 256));
    } catch {
      // WebCrypto refuses to derive zeros. Whatever else went wrong, noble has the answer.
      return nobleCurve.x25519(scalar, u);
    }
  };
}

function webCryptoVerify(subtle: WebCryptoSubtle): Curve["verifyEd25519"] {
  return async (publicKey, message, signature) => {
    let key: unknown;
    try {
      key = await subtle.importKey("raw", Uint8Array.from(publicKey), "Ed25519", false, ["verify"]);
    } catch {
      return false;
    }
    return subtle.verify("Ed25519", key, Uint8Array.from(signature), Uint8Array.from(message));
  };
}

/**
 * Curve25519 by WebCrypto, eight times faster than noble in Chromium (X25519: 0.24 ms for 2.0 ms). Each half is tried on a
 * known answer first; noble stands in for a half that is missing or wrong.
 */
export async function webCryptoCurve(subtle: WebCryptoSubtle): Promise<Curve> {
  const agree = webCryptoX25519(subtle);
  const verify = webCryptoVerify(subtle);
  const scalar = new Uint8Array(32).fill(7);
  const seed = new Uint8Array(32).fill(9);
  const message = Uint8Array.of(1);
  const [agrees, verifies] = await Promise.all([
    agree(scalar, x25519.GuBytes)
      .then((u) => equal(u, x25519.getPublicKey(scalar)))
      .catch(() => false),
    verify(ed25519.getPublicKey(seed), message, ed25519.sign(message, seed)).catch(() => false),
  ]);
  return {
    x25519: agrees ? agree : nobleCurve.x25519,
    verifyEd25519: verifies ? verify : nobleCurve.verifyEd25519,
  };
}
