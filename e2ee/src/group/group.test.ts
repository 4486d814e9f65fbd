import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { concat, utf8 } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { nobleCurve, type Platform, webCryptoCurve } from "../platform.ts";
import { seededRandom } from "../testing/seeded-random.ts";
import { decryptFromGroup, encryptForGroup } from "./cipher.ts";
import { walkTo } from "./chain.ts";
import { createDistribution, processDistribution } from "./distribution.ts";
import { createSenderKey, maxStates, retireSenderKey, type SenderKeyRecord } from "./sender-key.ts";
import { decodeDistribution, decodeSenderKeyMessage, encodeDistribution, encodeUnsigned } from "./wire.ts";

const group = Uint8Array.from({ length: 16 }, (_, index) => index);
const platform: Platform = { random: seededRandom("group"), curve: nobleCurve };
let fast: Platform;

beforeAll(async () => {
  fast = { random: platform.random, curve: await webCryptoCurve(globalThis.crypto.subtle) };
});

/** A sender, and a reader who got the distribution. */
class Conversation {
  sender: SenderKeyRecord;
  reader: SenderKeyRecord;

  constructor(sender: SenderKeyRecord) {
    this.sender = sender;
    this.reader = processDistribution(null, createDistribution(sender, group), group);
  }

  async send(text: string): Promise<Uint8Array> {
    const { record, message } = await encryptForGroup(fast, this.sender, group, utf8(text));
    this.sender = record;
    return message;
  }

  async read(message: Uint8Array): Promise<string> {
    const { record, plaintext } = await decryptFromGroup(fast, this.reader, message, group);
    this.reader = record;
    return new TextDecoder().decode(plaintext);
  }

  async rotate(): Promise<void> {
    this.sender = await createSenderKey(fast, this.sender);
    this.reader = processDistribution(this.reader, createDistribution(this.sender, group), group);
  }
}

async function pair(): Promise<Conversation> {
  return new Conversation(await createSenderKey(fast, null));
}

async function codeOf(work: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return "no error";
}

function changed(bytes: Uint8Array, at: number, bit = 1): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const index = at < 0 ? bytes.length + at : at;
  copy[index] = copy[index]! ^ bit;
  return copy;
}

test("[SK1] what is sent is read, in any order, whatever is lost", async () => {
  const conversation = await pair();
  const messages: Uint8Array[] = [];
  for (let index = 0; index < 12; index++) messages.push(await conversation.send(`message ${index}`));
  for (const index of [3, 0, 11, 1, 7, 5, 10, 4])
    expect(await conversation.read(messages[index]!)).toBe(`message ${index}`);
});

test("[SK1] a member who joins later reads from then on, and nothing of before", async () => {
  const conversation = await pair();
  const early = await conversation.send("early");
  const late = processDistribution(null, createDistribution(conversation.sender, group), group);
  const after = await conversation.send("after");
  expect(await codeOf(decryptFromGroup(fast, late, early, group))).toBe("duplicate_message");
  expect((await decryptFromGroup(fast, late, after, group)).plaintext).toEqual(utf8("after"));
});

test("[SK2] a message is read once", async () => {
  const conversation = await pair();
  const first = await conversation.send("one");
  const second = await conversation.send("two");
  expect(await conversation.read(second)).toBe("two");
  expect(await codeOf(conversation.read(second))).toBe("duplicate_message");
  expect(await conversation.read(first)).toBe("one");
  expect(await codeOf(conversation.read(first))).toBe("duplicate_message");
});

test("[SK3] a refused message leaves the record as it was", async () => {
  const conversation = await pair();
  const message = await conversation.send("hello");
  const copy = structuredClone(conversation.reader);
  for (let at = 0; at < message.length; at++) {
    const code = await codeOf(conversation.read(changed(message, at, 1 << (at % 8))));
    expect(["invalid_message", "no_sender_key"]).toContain(code);
    expect(conversation.reader).toEqual(copy);
  }
  expect(await conversation.read(message)).toBe("hello");
});

test("[SK3] only who made the sender key can sign", async () => {
  const { sender, reader } = await pair();
  const other = await createSenderKey(fast, null);
  const forged: SenderKeyRecord = {
    states: [{ ...sender.states[0]!, signingPrivateKey: other.states[0]!.signingPrivateKey }],
  };
  const { message } = await encryptForGroup(fast, forged, group, utf8("not me"));
  expect(await codeOf(decryptFromGroup(fast, reader, message, group))).toBe("invalid_message");
});

test("[SK3] a message or a key for another distribution is refused", async () => {
  const conversation = await pair();
  const { sender, reader } = conversation;
  const other = Uint8Array.from(group).fill(9);
  const message = await conversation.send("here");
  expect(await codeOf(decryptFromGroup(fast, reader, message, other))).toBe("invalid_message");
  expect(await codeOf(() => processDistribution(null, createDistribution(sender, group), other))).toBe(
    "invalid_message",
  );
});

test("[SK4] 25,000 missing messages are jumped over, one more is refused", async () => {
  const { sender, reader } = await pair();
  const state = sender.states[0]!;
  // The chain is walked by the reader; a sender that is there already needs only the number and any key to be refused.
  const ahead: SenderKeyRecord = { states: [{ ...state, iteration: 25_001 }] };
  const tooFar = await encryptForGroup(fast, ahead, group, utf8("too far"));
  expect(await codeOf(decryptFromGroup(fast, reader, tooFar.message, group))).toBe("message_too_far");
  const there: SenderKeyRecord = { states: [{ ...walkTo(state, 24_999).state, skipped: [] }] };
  const { message } = await encryptForGroup(fast, there, group, utf8("far"));
  const read = await decryptFromGroup(fast, reader, message, group);
  expect(read.plaintext).toEqual(utf8("far"));
  expect(read.record.states[0]!.iteration).toBe(25_001);
});

test("[SK5] the keys of the last 2,000 missing messages are kept, the oldest go first", async () => {
  const { sender, reader } = await pair();
  const at = async (iteration: number) => {
    const state = iteration === 0 ? sender.states[0]! : walkTo(sender.states[0]!, iteration - 1).state;
    return (await encryptForGroup(fast, { states: [{ ...state, skipped: [] }] }, group, utf8(`${iteration}`))).message;
  };
  let { record } = await decryptFromGroup(fast, reader, await at(2_500), group);
  expect(record.states[0]!.skipped).toHaveLength(2_000);
  expect(await codeOf(decryptFromGroup(fast, record, await at(499), group))).toBe("duplicate_message");
  ({ record } = await decryptFromGroup(fast, record, await at(500), group));
  ({ record } = await decryptFromGroup(fast, record, await at(2_499), group));
  expect(record.states[0]!.skipped).toHaveLength(1_998);
  ({ record } = await decryptFromGroup(fast, record, await at(2_504), group));
  expect(record.states[0]!.skipped).toHaveLength(2_000);
  expect(await codeOf(decryptFromGroup(fast, record, await at(501), group))).toBe("duplicate_message");
  ({ record } = await decryptFromGroup(fast, record, await at(502), group));
});

test("[SK6] five sender keys of a device are kept, the newest first", async () => {
  let reader: SenderKeyRecord | null = null;
  const messages: Uint8Array[] = [];
  const distributions: Uint8Array[] = [];
  for (let index = 0; index < 7; index++) {
    const sender = await createSenderKey(fast, null);
    distributions.push(createDistribution(sender, group));
    messages.push((await encryptForGroup(fast, sender, group, utf8(`${index}`))).message);
  }
  for (const distribution of distributions.slice(0, 5)) reader = processDistribution(reader, distribution, group);
  // The first comes again: it is the newest now, and the second is the oldest.
  reader = processDistribution(reader, distributions[0]!, group);
  reader = processDistribution(reader, distributions[5]!, group);
  expect(reader.states).toHaveLength(maxStates);
  expect(await codeOf(decryptFromGroup(fast, reader, messages[1]!, group))).toBe("no_sender_key");
  for (const index of [0, 2, 3, 4, 5]) {
    expect((await decryptFromGroup(fast, reader, messages[index]!, group)).plaintext).toEqual(utf8(`${index}`));
  }
});

test("[SK6] a distribution that comes twice brings no used key back", async () => {
  const conversation = await pair();
  const distribution = createDistribution(conversation.sender, group);
  const message = await conversation.send("once");
  expect(await conversation.read(message)).toBe("once");
  const again = processDistribution(conversation.reader, distribution, group);
  expect(again).toEqual(conversation.reader);
  expect(await codeOf(decryptFromGroup(fast, again, message, group))).toBe("duplicate_message");
});

test("[SK7] rotation makes another chain, chain key and signing key, and forgets the old ones", async () => {
  const conversation = await pair();
  const old = await conversation.send("old");
  const before = conversation.sender;
  const excluded = conversation.reader;
  await conversation.rotate();
  expect(conversation.sender.states).toHaveLength(1);
  for (const part of ["chainId", "chainKey", "signingKey", "signingPrivateKey"] as const) {
    expect(conversation.sender.states[0]![part]).not.toEqual(before.states[0]![part]);
  }
  const message = await conversation.send("without you");
  expect(await codeOf(decryptFromGroup(fast, excluded, message, group))).toBe("no_sender_key");
  expect(await conversation.read(message)).toBe("without you");
  expect(await conversation.read(old)).toBe("old");
});

test("[SK7] a fresh chain id is never one that is in use", async () => {
  const first = await createSenderKey(fast, null);
  const { chainId } = first.states[0]!;
  const bytes = [chainId >>> 24, (chainId >>> 16) & 255, (chainId >>> 8) & 255, chainId & 255];
  const draws = [Uint8Array.from(bytes), Uint8Array.of(0xff, 0xff, 0xff, 0xff)];
  const random = (length: number) => (length === 4 ? draws.shift()! : platform.random(length));
  const next = await createSenderKey({ ...fast, random }, first);
  expect(next.states[0]!.chainId).toBe(0x7fff_ffff);
});

test("[SK8] secrets that left use are overwritten, those in use are not", async () => {
  const conversation = await pair();
  await conversation.send("skipped");
  const second = await conversation.send("second");
  const before = conversation.reader;
  await conversation.read(second);
  const between = conversation.reader;
  retireSenderKey(before, between);
  expect(before.states[0]!.chainKey).toEqual(new Uint8Array(32));
  expect(between.states[0]!.chainKey).not.toEqual(new Uint8Array(32));
  expect(between.states[0]!.skipped[0]!.seed).not.toEqual(new Uint8Array(32));
  retireSenderKey(between, null);
  expect(between.states[0]!.skipped[0]!.seed).toEqual(new Uint8Array(32));
});

test("[SK9] somebody else's record sends nothing, and a chain ends", async () => {
  const { reader, sender } = await pair();
  expect(await codeOf(encryptForGroup(fast, reader, group, utf8("x")))).toBe("no_sender_key");
  expect(await codeOf(() => createDistribution(reader, group))).toBe("no_sender_key");
  const ended: SenderKeyRecord = { states: [{ ...sender.states[0]!, iteration: 2 ** 32 - 1 }] };
  expect(await codeOf(encryptForGroup(fast, ended, group, utf8("x")))).toBe("chain_exhausted");
});

test("[SK10] messages have the sizes of the official library", async () => {
  const sender = await createSenderKey(fast, null);
  const state = { ...sender.states[0]!, chainId: 0x7fff_ffff };
  expect(createDistribution({ states: [state] }, group)).toHaveLength(96);
  const { message } = await encryptForGroup(fast, { states: [state] }, group, utf8("nine char"));
  expect(message).toHaveLength(109);
});

test("[SK11] any bytes are a message or a typed refusal", async () => {
  const conversation = await pair();
  const { sender } = conversation;
  const message = await conversation.send("hello");
  const distribution = createDistribution(sender, group);
  const mutated = (whole: Uint8Array) =>
    fc
      .tuple(fc.nat(whole.length - 1), fc.uint8Array({ maxLength: 8 }), fc.nat(whole.length))
      .map(([at, put, end]) =>
        concat(
          whole.subarray(0, at),
          put,
          whole.subarray(Math.min(at + put.length, whole.length)),
          whole.subarray(end),
        ),
      );
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated(message)), (bytes) => {
      try {
        const decoded = decodeSenderKeyMessage(bytes);
        expect(decodeSenderKeyMessage(concat(encodeUnsigned(decoded), decoded.signature))).toMatchObject({
          chainId: decoded.chainId,
          iteration: decoded.iteration,
        });
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
    { seed: 20_251, numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated(distribution)), (bytes) => {
      try {
        const decoded = decodeDistribution(bytes);
        expect(decodeDistribution(encodeDistribution(decoded))).toEqual(decoded);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
    { seed: 20_252, numRuns: 500 },
  );
});
