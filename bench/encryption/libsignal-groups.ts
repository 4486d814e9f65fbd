import {
  Fingerprint,
  groupDecrypt,
  groupEncrypt,
  ProtocolAddress,
  processSenderKeyDistributionMessage,
  PublicKey,
  SenderKeyDistributionMessage,
  type SenderKeyRecord,
  SenderKeyStore,
} from "@signalapp/libsignal-client";
import type { GroupSubject } from "./groups.ts";

/** Keeps the library's own object: the fastest way to use it. */
class MemoryStore extends SenderKeyStore {
  #record: SenderKeyRecord | null = null;

  override async saveSenderKey(
    _sender: ProtocolAddress,
    _distribution: string,
    record: SenderKeyRecord,
  ): Promise<void> {
    this.#record = record;
  }

  override async getSenderKey(): Promise<SenderKeyRecord | null> {
    return this.#record;
  }
}

const address = ProtocolAddress.new("11111111-1111-4111-8111-111111111111", 1);
const distributionId = "d1d1d1d1-7000-41eb-b32a-33b8a8a487a6";
/** As the engine and Signal's own clients do. */
const iterations = 5_200;
const version = 2;

/** The official library. */
export const libsignalGroups: GroupSubject = {
  async makePair() {
    const [own, theirs] = [new MemoryStore(), new MemoryStore()];
    const distribution = await SenderKeyDistributionMessage.create(address, distributionId, own);
    await processSenderKeyDistributionMessage(address, distribution, theirs);
    return {
      encrypt: async (plaintext) =>
        (await groupEncrypt(address, distributionId, own, Uint8Array.from(plaintext))).serialize(),
      async decrypt(message) {
        await groupDecrypt(address, theirs, Uint8Array.from(message));
      },
    };
  },
  async safetyNumber(local, remote) {
    const [localKey, remoteKey] = [PublicKey.deserialize(local.identityKey), PublicKey.deserialize(remote.identityKey)];
    const made = Fingerprint.new(iterations, version, local.accountId, localKey, remote.accountId, remoteKey);
    return made.displayableFingerprint().toString();
  },
};
