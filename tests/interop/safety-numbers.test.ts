import { Fingerprint, PrivateKey, PublicKey, ScannableFingerprint } from "@signalapp/libsignal-client";
import { compareScannable } from "@lescopains/e2ee/safety-number/scannable";
import { safetyNumber } from "@lescopains/e2ee/safety-number/safety-number";
import { nobleSha512 } from "@lescopains/e2ee/safety-number/sha512";
import { seededRandom } from "@lescopains/e2ee/testing/seeded-random";
import { expect, test } from "vitest";

const random = seededRandom("safety numbers");
const sha512 = nobleSha512(() => Promise.resolve());

function party() {
  const identityKey = PrivateKey.deserialize(Uint8Array.from(random(32)))
    .getPublicKey()
    .serialize();
  return { accountId: Uint8Array.from(random(16)), identityKey: Uint8Array.from(identityKey) };
}

type Party = ReturnType<typeof party>;

function official(local: Party, remote: Party, version = 2) {
  const localKey = PublicKey.deserialize(local.identityKey);
  const remoteKey = PublicKey.deserialize(remote.identityKey);
  return Fingerprint.new(5_200, version, local.accountId, localKey, remote.accountId, remoteKey);
}

const bytesOf = (fingerprint: Fingerprint) => Uint8Array.from(fingerprint.scannableFingerprint().toBuffer());
const pairs = Array.from({ length: 8 }, () => [party(), party()] as const);

test.each(pairs)(
  "[IN1] digits and scannable form are the official ones, byte for byte, on both sides",
  async (a, b) => {
    for (const [local, remote] of [
      [a, b],
      [b, a],
    ] as const) {
      const ours = await safetyNumber(local, remote, sha512);
      const theirs = official(local, remote);
      expect(ours.digits).toBe(theirs.displayableFingerprint().toString());
      expect(ours.scannable).toEqual(bytesOf(theirs));
      expect(ours.scannable).toHaveLength(74);
    }
  },
);

test("[IN2] each library accepts the other's code of the same keys and no other code", async () => {
  const [alice, bob, mallory] = [party(), party(), party()];
  const changedBob = { ...bob, identityKey: mallory.identityKey };
  const ours = await safetyNumber(alice, bob, sha512);
  const cases = [
    [bob, alice, "same"],
    [changedBob, alice, "different"],
    [bob, { ...alice, identityKey: mallory.identityKey }, "different"],
    // Somebody between both sides, who shows each a key of their own.
    [bob, { ...alice, identityKey: party().identityKey }, "different"],
    [mallory, alice, "different"],
    [mallory, bob, "different"],
    [alice, bob, "wrong_users"],
  ] as const;
  for (const [local, remote, result] of cases) {
    const scanned = bytesOf(official(local, remote));
    expect(compareScannable(ours.scannable, scanned)).toBe(result);
    const their = ScannableFingerprint._fromBuffer(Uint8Array.from(ours.scannable));
    expect(their.compare(official(local, remote).scannableFingerprint())).toBe(result === "same");
    const reverse = official(local, remote).scannableFingerprint();
    expect(reverse.compare(their)).toBe(result === "same");
  }
});

test("[IN3] a code of another version is told apart by both", async () => {
  const [alice, bob] = [party(), party()];
  const ours = await safetyNumber(alice, bob, sha512);
  const theirs = official(bob, alice, 1);
  expect(compareScannable(ours.scannable, bytesOf(theirs))).toBe("wrong_version");
  const our = ScannableFingerprint._fromBuffer(Uint8Array.from(ours.scannable));
  expect(() => our.compare(theirs.scannableFingerprint())).toThrow("version");
});
