import { PrivateKey, SenderKeyDistributionMessage, SenderKeyMessage } from "@signalapp/libsignal-client";
import { walkTo } from "@lescopains/e2ee/group/chain";
import { encryptForGroup } from "@lescopains/e2ee/group/cipher";
import { createDistribution } from "@lescopains/e2ee/group/distribution";
import { createSenderKey } from "@lescopains/e2ee/group/sender-key";
import { decodeDistribution, decodeSenderKeyMessage, encodeDistribution } from "@lescopains/e2ee/group/wire";
import { webCryptoCurve } from "@lescopains/e2ee/platform";
import { seededRandom } from "@lescopains/e2ee/testing/seeded-random";
import { beforeAll, describe, expect, test } from "vitest";
import { distributionId, distributionUuid, EngineMember, type Member, OfficialMember } from "./kit/group-members.ts";

const create: Record<string, (seed: string) => Promise<Member>> = {
  engine: (seed) => EngineMember.create(seed),
  official: async () => new OfficialMember(),
};

/** Numbers below `limit`, the same for the same seed. */
function numbers(seed: string): (limit: number) => number {
  const random = seededRandom(seed);
  return (limit) => Buffer.from(random(6)).readUIntBE(0, 6) % limit;
}

describe.each(["engine", "official"])("sent by the %s library", (senderName) => {
  let sender: Member;
  let engine: Member;
  let official: Member;

  beforeAll(async () => {
    sender = await create[senderName]!(`sender ${senderName}`);
    engine = await create["engine"]!("reader");
    official = await create["official"]!("reader");
  });

  async function distribute(): Promise<void> {
    const distribution = await sender.distribution();
    await engine.accept(distribution);
    await official.accept(distribution);
  }

  /** The outcome of one delivery, which must be that of the official library. */
  async function deliver(message: Uint8Array) {
    const expected = await official.read(message);
    expect(await engine.read(message)).toEqual(expected);
    return expected;
  }

  test("[IG1] both libraries read the same in order", async () => {
    await distribute();
    for (const text of ["", "un deux trois", "é".repeat(5_000)]) {
      expect(await deliver(await sender.send(text))).toEqual({ text });
    }
  });

  test("[IG2] 3,000 deliveries, reordered, lost, doubled and damaged through 20 rotations, end alike", async () => {
    const below = numbers(`deliveries ${senderName}`);
    const underway: { message: Uint8Array; text: string }[] = [];
    const count = { read: 0, duplicate: 0, refused: 0 };
    for (let sent = 0; sent < 3_000; sent++) {
      if (sent % 150 === 75) {
        await sender.rotate();
        // Every third time the distribution comes late: messages before it are refused by both.
        if (sent % 450 !== 75) await distribute();
      }
      if (sent % 150 === 90 || below(40) === 0) await distribute();
      const text = `message ${sent}`;
      const message = await sender.send(text);
      const fate = below(20);
      if (fate > 0) underway.push({ message, text });
      if (fate === 1) underway.push({ message, text });
      if (fate === 2) {
        const damaged = Uint8Array.from(message);
        damaged[below(damaged.length)]! ^= 1 << below(8);
        underway.push({ message: damaged, text: "damaged" });
      }
      while (underway.length > 30 || (underway.length > 0 && below(3) === 0)) {
        const [next] = underway.splice(below(underway.length), 1);
        const outcome = await deliver(next!.message);
        if (typeof outcome === "string") count[outcome]++;
        else {
          expect(outcome.text).toBe(next!.text);
          count.read++;
        }
      }
    }
    expect(count.read).toBeGreaterThan(2_500);
    expect(count.duplicate).toBeGreaterThan(50);
    expect(count.refused).toBeGreaterThan(100);
  });

  test("[IG3] a member who joins late reads the same from then on", async () => {
    await sender.rotate();
    await distribute();
    const before = await sender.send("before");
    const distribution = await sender.distribution();
    const after = await sender.send("after");
    for (const name of ["engine", "official"]) {
      const late = await create[name]!(`late ${name}`);
      await late.accept(distribution);
      expect(await late.read(before)).toBe("duplicate");
      expect(await late.read(after)).toEqual({ text: "after" });
    }
  });

  test("[IG4] more than five sender keys: both forget the same ones", async () => {
    const distributions: Uint8Array[] = [];
    const messages: Uint8Array[] = [];
    for (let index = 0; index < 8; index++) {
      await sender.rotate();
      distributions.push(await sender.distribution());
      messages.push(await sender.send(`key ${index}`));
    }
    for (const index of [0, 1, 2, 3, 4, 0, 5, 2, 6, 7]) {
      await engine.accept(distributions[index]!);
      await official.accept(distributions[index]!);
    }
    const read: number[] = [];
    for (const [index, message] of messages.entries()) {
      if (typeof (await deliver(message)) === "object") read.push(index);
    }
    expect(read).toEqual([0, 2, 5, 6, 7]);
  });

  test("[IG6] the same chain id with another signing key replaces the chain, and back", async () => {
    await sender.rotate();
    await distribute();
    const first = await sender.send("first");
    expect(await deliver(first)).toEqual({ text: "first" });
    const distribution = decodeDistribution(await sender.distribution());
    const stranger = PrivateKey.generate().getPublicKey().serialize();
    const replaced = encodeDistribution({ ...distribution, signingKey: stranger });
    const second = await sender.send("second");
    await engine.accept(replaced);
    await official.accept(replaced);
    expect(await deliver(second)).toBe("refused");
    const back = encodeDistribution(distribution);
    await engine.accept(back);
    await official.accept(back);
    expect(await deliver(second)).toEqual({ text: "second" });
    expect(await deliver(first)).toBe("duplicate");
  });
});

describe("limits and bytes", () => {
  test("[IG5] both jump over 25,000 messages and no more, and keep the last 2,000", async () => {
    const platform = { random: seededRandom("jump"), curve: await webCryptoCurve(crypto.subtle) };
    const own = await createSenderKey(platform, null);
    const first = own.states[0]!;
    const engine = await EngineMember.create("reader");
    const official = new OfficialMember();
    const distribution = createDistribution(own, distributionId);
    await engine.accept(distribution);
    await official.accept(distribution);
    async function expectBoth(iteration: number, outcome: string): Promise<void> {
      const state = iteration === 0 ? first : walkTo(first, iteration - 1).state;
      const record = { states: [{ ...state, skipped: [] }] };
      const { message } = await encryptForGroup(platform, record, distributionId, Buffer.from(`${iteration}`));
      const expected = outcome === "read" ? { text: `${iteration}` } : outcome;
      expect(await official.read(message), `official ${iteration}`).toEqual(expected);
      expect(await engine.read(message), `engine ${iteration}`).toEqual(expected);
    }
    await expectBoth(25_001, "refused");
    await expectBoth(25_000, "read");
    for (const iteration of [0, 22_999]) await expectBoth(iteration, "duplicate");
    for (const iteration of [23_000, 25_002, 25_001, 23_001, 24_999]) await expectBoth(iteration, "read");
    for (const iteration of [23_000, 25_001, 25_002]) await expectBoth(iteration, "duplicate");
    // 1,997 keys of the first jump are left: a jump over four more messages drops the oldest of them.
    await expectBoth(25_007, "read");
    await expectBoth(23_002, "duplicate");
    await expectBoth(23_003, "read");
  });

  test("[IG7] our messages are the official ones, byte for byte", async () => {
    const engine = await EngineMember.create("bytes");
    const ours = await engine.distribution();
    const distribution = SenderKeyDistributionMessage.deserialize(Uint8Array.from(ours));
    const decoded = decodeDistribution(ours);
    const { chainId, iteration } = decoded;
    expect(distribution.distributionId()).toBe(distributionUuid);
    expect([distribution.chainId(), distribution.iteration()]).toEqual([chainId, iteration]);
    expect(Uint8Array.from(distribution.chainKey())).toEqual(decoded.chainKey);

    const message = await engine.send("bytes");
    const { ciphertext } = decodeSenderKeyMessage(message);
    const key = PrivateKey.generate();
    const official = SenderKeyMessage._new(3, distributionUuid, chainId, 0, Uint8Array.from(ciphertext), key);
    const bytes = Uint8Array.from(official.serialize());
    expect(message.subarray(0, -64)).toEqual(bytes.subarray(0, -64));
    expect(decodeSenderKeyMessage(bytes).chainId).toBe(chainId);
  });

  test("[IG8] what the official library refuses to read is refused", async () => {
    const sender = await EngineMember.create("refusals");
    const engine = await EngineMember.create("reader");
    const official = new OfficialMember();
    const distribution = await sender.distribution();
    const message = await sender.send("hello");
    await engine.accept(distribution);
    await official.accept(distribution);
    const otherVersion = (bytes: Uint8Array, version: number) => Uint8Array.from([version, ...bytes.subarray(1)]);
    for (const version of [0x00, 0x13, 0x23, 0x32, 0x34, 0x43, 0xff]) {
      expect(await official.read(otherVersion(message, version))).toBe("refused");
      expect(await engine.read(otherVersion(message, version))).toBe("refused");
    }
    for (let length = 0; length < message.length; length++) {
      expect(await official.read(message.subarray(0, length))).toBe("refused");
      expect(await engine.read(message.subarray(0, length))).toBe("refused");
    }
    for (let length = 0; length < distribution.length; length++) {
      await expect(official.accept(distribution.subarray(0, length))).rejects.toThrow();
      await expect(engine.accept(distribution.subarray(0, length))).rejects.toThrow();
    }
    expect(await official.read(message)).toEqual({ text: "hello" });
    expect(await engine.read(message)).toEqual({ text: "hello" });
  });
});
