import { webCryptoCurve } from "@lescopains/e2ee/platform";
import type { Platform } from "@lescopains/e2ee/platform";
import type { PreKeyBundle } from "@lescopains/e2ee/session/bundle";
import {
  generateIdentity,
  generateKyberPreKey,
  generatePreKeys,
  generateSignedPreKey,
} from "@lescopains/e2ee/session/keys";
import { decrypt, encrypt, startSession } from "@lescopains/e2ee/session/session";
import type { Ciphertext, LocalPreKeys } from "@lescopains/e2ee/session/session";
import type { SessionRecord } from "@lescopains/e2ee/session/state";
import type { Side } from "./measure.ts";

const addresses = [
  { accountId: "11111111-1111-4111-8111-111111111111", deviceId: 1 },
  { accountId: "22222222-2222-4222-8222-222222222222", deviceId: 1 },
] as const;

async function engineSide(platform: Platform, own: 0 | 1): Promise<Side<PreKeyBundle, Ciphertext>> {
  const identity = await generateIdentity(platform);
  const local = { identity, registrationId: 1, address: addresses[own] };
  const conversation = { platform, local, remote: addresses[own === 0 ? 1 : 0] };
  const nowMs = Date.now();
  let preKeys: LocalPreKeys;
  let record: SessionRecord | undefined;
  return {
    async bundle() {
      const [preKey] = await generatePreKeys(platform, 1, 1);
      const signed = await generateSignedPreKey(platform, identity, 1, nowMs);
      const kyber = await generateKyberPreKey(platform, identity, 1, nowMs);
      preKeys = {
        preKey: async () => preKey?.keyPair,
        signedPreKey: async () => signed.keyPair,
        kyberPreKey: async () => kyber.keyPair,
      };
      return {
        registrationId: 1,
        identityKey: identity.publicKey,
        signedPreKey: { id: 1, publicKey: signed.keyPair.publicKey, signature: signed.signature },
        kyberPreKey: { id: 1, publicKey: kyber.keyPair.publicKey, signature: kyber.signature },
        preKey: preKey === undefined ? undefined : { id: 1, publicKey: preKey.keyPair.publicKey },
      };
    },
    async begin(bundle) {
      record = await startSession(conversation, record, bundle, nowMs);
    },
    async encrypt(plaintext) {
      const result = await encrypt(conversation, record, plaintext, nowMs);
      record = result.record;
      return result.message;
    },
    async decrypt(message) {
      record = (await decrypt(conversation, record, message, preKeys)).record;
    },
  };
}

/** Two devices of this engine, with the platform's WebCrypto. */
export async function enginePair(): Promise<[Side<PreKeyBundle, Ciphertext>, Side<PreKeyBundle, Ciphertext>]> {
  const platform: Platform = {
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    curve: await webCryptoCurve(crypto.subtle),
  };
  return [await engineSide(platform, 0), await engineSide(platform, 1)];
}
