import { decryptFromGroup, encryptForGroup } from "@lescopains/e2ee/group/cipher";
import { createDistribution, processDistribution } from "@lescopains/e2ee/group/distribution";
import { createSenderKey } from "@lescopains/e2ee/group/sender-key";
import { type Platform, webCryptoCurve } from "@lescopains/e2ee/platform";
import { generateKeyPair } from "@lescopains/e2ee/primitives/curve";
import { safetyNumber } from "@lescopains/e2ee/safety-number/safety-number";
import type { Sha512 } from "@lescopains/e2ee/safety-number/sha512";

/** What groups and safety numbers cost, whoever implements them. */
export interface GroupSubject {
  /** Somebody with a new sender key, and somebody who has been told of it. */
  readonly makePair: () => Promise<GroupPair>;
  /** The digits that two accounts compare. */
  readonly safetyNumber: (local: Account, remote: Account) => Promise<string>;
}

export interface GroupPair {
  readonly encrypt: (plaintext: Uint8Array) => Promise<Uint8Array>;
  readonly decrypt: (message: Uint8Array) => Promise<void>;
}

export interface Account {
  readonly accountId: Uint8Array<ArrayBuffer>;
  /** 33 bytes. */
  readonly identityKey: Uint8Array<ArrayBuffer>;
}

/** Milliseconds, one number for each time that something was done. */
export interface GroupSamples {
  readonly encrypt: number[];
  readonly decrypt: number[];
  readonly safetyNumber: number[];
}

const warmUp = 100;
const messages = 900;
const plaintextBytes = 200;
const safetyNumbers = 8;
const distributionId = Uint8Array.from({ length: 16 }, (_, index) => index + 1);

/** One writes, one reads; then the same two accounts' safety number, again and again. */
export async function measureGroups(
  { makePair, safetyNumber: numberOf }: GroupSubject,
  accounts: readonly [Account, Account],
): Promise<GroupSamples> {
  const samples: GroupSamples = { encrypt: [], decrypt: [], safetyNumber: [] };
  const plaintext = new Uint8Array(plaintextBytes).fill(0x61);
  const pair = await makePair();
  for (let index = -warmUp; index < messages; index += 1) {
    const beganMs = performance.now();
    const message = await pair.encrypt(plaintext);
    const encryptedMs = performance.now();
    await pair.decrypt(message);
    const decryptedMs = performance.now();
    if (index < 0) continue;
    samples.encrypt.push(encryptedMs - beganMs);
    samples.decrypt.push(decryptedMs - encryptedMs);
  }
  for (let index = -1; index < safetyNumbers; index += 1) {
    const beganMs = performance.now();
    await numberOf(accounts[0], accounts[1]);
    if (index >= 0) samples.safetyNumber.push(performance.now() - beganMs);
  }
  return samples;
}

/** This engine, with the platform's WebCrypto and the hash that is faster there. */
export async function engineGroups(sha512: Sha512): Promise<GroupSubject> {
  const platform = await webCryptoPlatform();
  return {
    async makePair() {
      let own = await createSenderKey(platform, null);
      let theirs = processDistribution(null, createDistribution(own, distributionId), distributionId);
      return {
        async encrypt(plaintext) {
          const done = await encryptForGroup(platform, own, distributionId, plaintext);
          own = done.record;
          return done.message;
        },
        async decrypt(message) {
          theirs = (await decryptFromGroup(platform, theirs, message, distributionId)).record;
        },
      };
    },
    safetyNumber: async (local, remote) => (await safetyNumber(local, remote, sha512)).digits,
  };
}

/** Two accounts with an identity key each. */
export async function makeAccounts(): Promise<[Account, Account]> {
  return [await makeAccount(), await makeAccount()];
}

async function makeAccount(): Promise<Account> {
  const { publicKey } = await generateKeyPair(await webCryptoPlatform());
  return {
    accountId: crypto.getRandomValues(new Uint8Array(16)),
    identityKey: Uint8Array.from(publicKey),
  };
}

async function webCryptoPlatform(): Promise<Platform> {
  return {
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    curve: await webCryptoCurve(crypto.subtle),
  };
}
