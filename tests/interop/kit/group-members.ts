import {
  ErrorCode,
  groupDecrypt,
  groupEncrypt,
  LibSignalErrorBase,
  ProtocolAddress,
  processSenderKeyDistributionMessage,
  SenderKeyDistributionMessage,
  SenderKeyRecord as OfficialRecord,
  SenderKeyStore,
} from "@signalapp/libsignal-client";
import { ProtocolError } from "@lescopains/e2ee/errors";
import { decryptFromGroup, encryptForGroup } from "@lescopains/e2ee/group/cipher";
import { createDistribution, processDistribution } from "@lescopains/e2ee/group/distribution";
import { decodeSenderKeyRecord, encodeSenderKeyRecord } from "@lescopains/e2ee/group/record";
import { createSenderKey, retireSenderKey, type SenderKeyRecord } from "@lescopains/e2ee/group/sender-key";
import { type Platform, webCryptoCurve } from "@lescopains/e2ee/platform";
import { seededRandom } from "@lescopains/e2ee/testing/seeded-random";

export const distributionUuid = "d1d1d1d1-7000-41eb-b32a-33b8a8a487a6";
export const distributionId = Uint8Array.from(Buffer.from(distributionUuid.replaceAll("-", ""), "hex"));

/** What became of a delivery: the text, or why there is none. `refused` covers what the official library gives no code to. */
export type Outcome = { text: string } | "duplicate" | "refused";

/** A member of a group, whichever library it uses: sends its own messages and reads those of one other device. */
export interface Member {
  /** A sender key unlike the last one. */
  rotate(): Promise<void>;
  distribution(): Promise<Uint8Array>;
  send(text: string): Promise<Uint8Array>;
  accept(distribution: Uint8Array): Promise<void>;
  read(message: Uint8Array): Promise<Outcome>;
}

export class EngineMember implements Member {
  readonly #platform: Platform;
  #own: Uint8Array | null = null;
  #others: Uint8Array | null = null;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  static async create(seed: string): Promise<EngineMember> {
    return new EngineMember({ random: seededRandom(seed), curve: await webCryptoCurve(crypto.subtle) });
  }

  async rotate(): Promise<void> {
    const previous = this.#own === null ? null : decodeSenderKeyRecord(this.#own);
    this.#own = encodeSenderKeyRecord(await createSenderKey(this.#platform, previous));
  }

  async distribution(): Promise<Uint8Array> {
    return createDistribution(await this.#record(), distributionId);
  }

  async send(text: string): Promise<Uint8Array> {
    const before = await this.#record();
    const { record, message } = await encryptForGroup(this.#platform, before, distributionId, Buffer.from(text));
    this.#own = encodeSenderKeyRecord(record);
    retireSenderKey(before, record);
    return message;
  }

  async accept(distribution: Uint8Array): Promise<void> {
    const known = this.#others === null ? null : decodeSenderKeyRecord(this.#others);
    this.#others = encodeSenderKeyRecord(processDistribution(known, distribution, distributionId));
  }

  async read(message: Uint8Array): Promise<Outcome> {
    const before: SenderKeyRecord = this.#others === null ? { states: [] } : decodeSenderKeyRecord(this.#others);
    try {
      const { record, plaintext } = await decryptFromGroup(this.#platform, before, message, distributionId);
      this.#others = encodeSenderKeyRecord(record);
      retireSenderKey(before, record);
      return { text: Buffer.from(plaintext).toString() };
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return error.code === "duplicate_message" ? "duplicate" : "refused";
    }
  }

  async #record(): Promise<SenderKeyRecord> {
    if (this.#own === null) await this.rotate();
    return decodeSenderKeyRecord(this.#own!);
  }
}

class MemoryStore extends SenderKeyStore {
  record: Uint8Array<ArrayBuffer> | null = null;

  override async saveSenderKey(_sender: ProtocolAddress, _distribution: string, record: OfficialRecord): Promise<void> {
    this.record = record.serialize();
  }

  override async getSenderKey(): Promise<OfficialRecord | null> {
    return this.record === null ? null : OfficialRecord.deserialize(this.record);
  }
}

const address = ProtocolAddress.new("9d0652a3-dcc3-4d11-975f-74d61598733f", 1);

export class OfficialMember implements Member {
  readonly #own = new MemoryStore();
  readonly #others = new MemoryStore();

  async rotate(): Promise<void> {
    this.#own.record = null;
  }

  async distribution(): Promise<Uint8Array> {
    return (await SenderKeyDistributionMessage.create(address, distributionUuid, this.#own)).serialize();
  }

  async send(text: string): Promise<Uint8Array> {
    if (this.#own.record === null) await this.distribution();
    return (await groupEncrypt(address, distributionUuid, this.#own, Buffer.from(text))).serialize();
  }

  async accept(distribution: Uint8Array): Promise<void> {
    const message = SenderKeyDistributionMessage.deserialize(Uint8Array.from(distribution));
    await processSenderKeyDistributionMessage(address, message, this.#others);
  }

  async read(message: Uint8Array): Promise<Outcome> {
    try {
      const plaintext = await groupDecrypt(address, this.#others, Uint8Array.from(message));
      return { text: Buffer.from(plaintext).toString() };
    } catch (error) {
      if (!(error instanceof LibSignalErrorBase)) throw error;
      return error.code === ErrorCode.DuplicatedMessage ? "duplicate" : "refused";
    }
  }
}
