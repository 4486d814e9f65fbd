import { ed25519 } from "@noble/curves/ed25519.js";
import { bytesToNumberLE } from "@noble/curves/utils.js";

const { Point } = ed25519;
const { Fp } = Point;
const SIGN_BIT = 0x80;

/** An account's identity key, ready to verify what it has signed. */
export interface Verifier {
  /** Whether a signature (64 bytes) of `message` is by the owner of the key. Anything malformed is not. */
  verify(message: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>): Promise<boolean>;
}

/**
 * XEdDSA (Signal's specification, §2.3) for a public key of 33 bytes, type byte included, in the Signal Protocol's variant: the sign of
 * the Edwards key travels in the top bit of the signature. Null for a key that nobody can have made honestly: not canonical, not on the
 * curve, or with a part of low order.
 *
 * The curve's arithmetic is @noble/curves' and happens once for a key; each signature is verified by the runtime as Ed25519, which
 * takes a tenth of the time (0.15 against 1.7 ms in workerd, November 2026; the key itself 0.6 ms). An `s` that is not reduced is refused, as RFC 8032 asks: no signer makes one.
 */
export function verifierOf(identityKey: Uint8Array): Verifier | null {
  const edwards = edwardsKey(identityKey);
  if (edwards === null) return null;
  const imported = new Map<number, Promise<CryptoKey>>();
  const keyWith = (sign: number): Promise<CryptoKey> => {
    let key = imported.get(sign);
    if (key === undefined) {
      const bytes = Uint8Array.from(edwards);
      bytes[31] = (bytes[31] ?? 0) | sign;
      key = crypto.subtle.importKey("raw", bytes, "Ed25519", false, ["verify"]);
      imported.set(sign, key);
    }
    return key;
  };
  return {
    async verify(message, signature) {
      const last = signature[63];
      if (signature.length !== 64 || last === undefined) return false;
      const plain = Uint8Array.from(signature);
      plain[63] = last & ~SIGN_BIT;
      return crypto.subtle.verify("Ed25519", await keyWith(last & SIGN_BIT), plain, message);
    },
  };
}

/** y = (u − 1) / (u + 1), little-endian, its sign bit clear. */
function edwardsKey(publicKey: Uint8Array): Uint8Array | null {
  if (publicKey.length !== 33 || publicKey[0] !== 0x05) return null;
  const u = bytesToNumberLE(publicKey.subarray(1));
  if (u >= Fp.ORDER || u === Fp.ORDER - 1n) return null;
  const bytes = Fp.toBytes(Fp.div(Fp.sub(u, 1n), Fp.add(u, 1n)));
  try {
    const point = Point.fromBytes(bytes);
    return !point.is0() && point.isTorsionFree() ? bytes : null;
  } catch {
    return null;
  }
}
