import { concat, utf8, wipe } from "../bytes.ts";
import { agree, checkBaseKey, generateKeyPair } from "../primitives/curve.ts";
import type { KeyPair } from "../primitives/curve.ts";
import { hkdf } from "../primitives/kdf.ts";
import { decapsulate, encapsulate } from "../primitives/kyber1024.ts";
import type { KemKeyPair } from "../primitives/kyber1024.ts";
import type { Platform } from "../platform.ts";
import { startSpqr } from "../spqr/ratchet.ts";
import type { PreKeySignalMessage } from "../wire/messages.ts";
import type { PreKeyBundle } from "./bundle.ts";
import { checkBundle } from "./bundle.ts";
import { rootStep } from "./chain.ts";
import type { SessionState } from "./state.ts";

/** What is ours in an agreement. */
export interface LocalIdentity {
  readonly identity: KeyPair;
  readonly registrationId: number;
}

const info = utf8("WhisperText_X25519_SHA-256_CRYSTALS-KYBER-1024");
/** F of X3DH, 2.2: no agreement on Curve25519 starts like this. */
const domain = new Uint8Array(32).fill(0xff);

interface Agreed {
  readonly rootKey: Uint8Array;
  /** Of the responder's first sending chain. */
  readonly chainKey: Uint8Array;
  /** What the post-quantum ratchet begins with. */
  readonly spqrKey: Uint8Array;
}

/** PQXDH, 3.3, SK; wipes the secrets. */
function derive(secrets: readonly Uint8Array[]): Agreed {
  const ikm = concat(domain, ...secrets);
  const okm = hkdf(ikm, new Uint8Array(0), info, 96);
  wipe(ikm, ...secrets);
  const agreed = { rootKey: okm.slice(0, 32), chainKey: okm.slice(32, 64), spqrKey: okm.slice(64) };
  wipe(okm);
  return agreed;
}

/**
 * Begins a session from a bundle (PQXDH, 3.3).
 *
 * @throws ProtocolError `invalid_key` or `invalid_signature` for a bundle that must not be used.
 */
export async function initiate(
  platform: Platform,
  { identity, registrationId }: LocalIdentity,
  bundle: PreKeyBundle,
  nowMs: number,
): Promise<SessionState> {
  await checkBundle(platform, bundle);
  const { signedPreKey, kyberPreKey, preKey, identityKey } = bundle;
  const [base, ratchetKey] = await Promise.all([generateKeyPair(platform), generateKeyPair(platform)]);
  const encapsulated = encapsulate(kyberPreKey.publicKey, platform.random);
  const [ratchetAgreement, ...agreements] = await Promise.all([
    agree(platform, ratchetKey.privateKey, signedPreKey.publicKey),
    agree(platform, identity.privateKey, signedPreKey.publicKey),
    agree(platform, base.privateKey, identityKey),
    agree(platform, base.privateKey, signedPreKey.publicKey),
    ...(preKey === undefined ? [] : [agree(platform, base.privateKey, preKey.publicKey)]),
  ]);
  wipe(base.privateKey);
  const agreed = derive([...agreements, encapsulated.secret]);
  const sending = rootStep(agreed.rootKey, ratchetAgreement);
  wipe(agreed.rootKey);
  return {
    localIdentity: identity.publicKey,
    remoteIdentity: identityKey.slice(),
    localRegistrationId: registrationId,
    remoteRegistrationId: bundle.registrationId,
    baseKey: base.publicKey,
    rootKey: sending.rootKey,
    sending: { ratchetKey, chain: sending.chain, previousCounter: 0 },
    receiving: [
      {
        ratchetKey: signedPreKey.publicKey.slice(),
        chain: { key: agreed.chainKey, index: 0 },
        skipped: new Uint8Array(0),
      },
    ],
    spqr: startSpqr("initiator", agreed.spqrKey),
    unacknowledged: {
      preKeyId: preKey?.id,
      signedPreKeyId: signedPreKey.id,
      kyberPreKeyId: kyberPreKey.id,
      kyberCiphertext: encapsulated.ciphertext,
      createdAtMs: nowMs,
    },
  };
}

/** Our own prekeys that a message names. */
export interface NamedPreKeys {
  readonly signedPreKey: KeyPair;
  readonly kyberPreKey: KemKeyPair;
  readonly preKey: KeyPair | undefined;
}

/**
 * Makes the session that a PreKey message begins (PQXDH, 3.4). Whether it was really its sender shows when its message is
 * decrypted.
 *
 * @throws ProtocolError `invalid_key` or `invalid_message`.
 */
export async function respond(
  platform: Platform,
  { identity, registrationId }: LocalIdentity,
  message: PreKeySignalMessage,
  { signedPreKey, kyberPreKey, preKey }: NamedPreKeys,
): Promise<SessionState> {
  const baseKey = checkBaseKey(message.baseKey).slice();
  const agreements = await Promise.all([
    agree(platform, signedPreKey.privateKey, message.identityKey),
    agree(platform, identity.privateKey, baseKey),
    agree(platform, signedPreKey.privateKey, baseKey),
    ...(preKey === undefined ? [] : [agree(platform, preKey.privateKey, baseKey)]),
  ]);
  const agreed = derive([...agreements, decapsulate(kyberPreKey.secretKey, message.kyberCiphertext)]);
  return {
    localIdentity: identity.publicKey,
    remoteIdentity: message.identityKey.slice(),
    localRegistrationId: registrationId,
    remoteRegistrationId: message.registrationId,
    baseKey,
    rootKey: agreed.rootKey,
    // Double Ratchet, 3.3: the signed prekey is the responder's first ratchet key.
    sending: {
      ratchetKey: { privateKey: signedPreKey.privateKey.slice(), publicKey: signedPreKey.publicKey.slice() },
      chain: { key: agreed.chainKey, index: 0 },
      previousCounter: 0,
    },
    receiving: [],
    spqr: startSpqr("responder", agreed.spqrKey),
  };
}
