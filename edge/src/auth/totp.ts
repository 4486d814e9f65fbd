import type { UserId } from "@lescopains/protocol/ids";
import { generateSecret, generateURI, verify } from "otplib/functional";
import { secretBytes } from "./secrets.ts";

const PERIOD_S = 30;
/** 160 bits, as RFC 4226 §4 recommends. */
const SECRET_BYTES = 20;
const IV_BYTES = 12;

/** A new secret for an authenticator, in base32. */
export function newTotpSecret(): string {
  return generateSecret({ length: SECRET_BYTES });
}

/** The address that authenticators read from a QR code. */
export function totpUri(secret: string, username: string): string {
  return generateURI({ issuer: "LesCopains", label: username, secret });
}

/** The time step (RFC 6238) whose code this is, of the one now and its two neighbours; `undefined` for a wrong code. */
export async function totpStep(secret: string, code: string, nowMs: number): Promise<number | undefined> {
  const result = await verify({ secret, token: code, epoch: Math.floor(nowMs / 1_000), epochTolerance: PERIOD_S });
  return result.valid && "timeStep" in result ? result.timeStep : undefined;
}

async function sealingKey(totpKey: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", secretBytes("TOTP_KEY", totpKey).subarray(0, 32), "AES-GCM", false, [
    "encrypt",
    "decrypt",
  ]);
}

function sealing(userId: UserId, iv: Uint8Array<ArrayBuffer>) {
  // The account is part of it: a sealed secret copied to another row does not open.
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(userId) };
}

/** A secret as it is stored: IV (12 bytes) ‖ AES-256-GCM of its text, bound to the account. */
export async function sealTotpSecret(totpKey: string, userId: UserId, secret: string): Promise<Uint8Array> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const sealed = await crypto.subtle.encrypt(
    sealing(userId, iv),
    await sealingKey(totpKey),
    new TextEncoder().encode(secret),
  );
  const stored = new Uint8Array(IV_BYTES + sealed.byteLength);
  stored.set(iv);
  stored.set(new Uint8Array(sealed), IV_BYTES);
  return stored;
}

/** The secret again. Throws when TOTP_KEY is not the one it was sealed with, or the row was tampered with. */
export async function openTotpSecret(totpKey: string, userId: UserId, stored: Uint8Array): Promise<string> {
  const bytes = new Uint8Array(stored);
  const algorithm = sealing(userId, bytes.subarray(0, IV_BYTES));
  try {
    const opened = await crypto.subtle.decrypt(algorithm, await sealingKey(totpKey), bytes.subarray(IV_BYTES));
    return new TextDecoder().decode(opened);
  } catch (cause) {
    throw new Error("a second-factor secret cannot be opened: is TOTP_KEY the one it was sealed with?", { cause });
  }
}
