import { generateKeyPair, sign } from "@lescopains/e2ee/primitives/curve";
import type { PreKeyBundle } from "@lescopains/e2ee/session/bundle";
import { describe, expect, test } from "vitest";
import type { Device, Message } from "./kit/device.ts";
import { EngineDevice, seededPlatform } from "./kit/engine.ts";
import { changedPreKeyMessage, forgeWhisper } from "./kit/forge.ts";
import type { Forgery } from "./kit/forge.ts";
import { acquainted, alice, bob, device, pair, say, text } from "./kit/people.ts";
import type { Kind } from "./kit/people.ts";
import { SeededNumbers } from "./kit/random.ts";

const whisper = 2;
const preKey = 3;
const kinds: readonly Kind[] = ["engine", "official"];

/** Public keys with whom an agreement gives nothing (RFC 7748, 6.1 and 7), and other spellings of keys. */
const lowOrder = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map((hex) => Uint8Array.from(Buffer.from(`05${hex}`, "hex")));

/** The device under test has a session with an engine that will misbehave. */
async function withEngine(kind: Kind): Promise<[EngineDevice, Device]> {
  const [a, b] = await acquainted(["engine", kind], 11);
  if (!(a instanceof EngineDevice)) throw new Error("no engine");
  return [a, b];
}

/** A message that begins a session, not yet received. */
async function beginning(kind: Kind): Promise<{ from: EngineDevice; to: Device; message: Message }> {
  const [from, to] = await pair(["engine", kind], 21);
  if (!(from instanceof EngineDevice)) throw new Error("no engine");
  await from.begin(to.address, await to.newBundle());
  return { from, to, message: await from.send(to.address, text("first")) };
}

describe.each(kinds)("refused by %s", (kind) => {
  test("[SE15] the forger's tools make good messages when they change nothing", async () => {
    const [from, to] = await withEngine(kind);
    const read = await to.receive(from.address, { type: whisper, body: forgeWhisper(from, to.address) });
    expect(read).toEqual(text("forged"));
    const first = await beginning(kind);
    const body = changedPreKeyMessage(first.message.body, (fields) => fields);
    expect(await first.to.receive(alice, { type: preKey, body })).toEqual(text("first"));
  });

  test.each<[string, Forgery]>([
    ["version 3", { version: 0x33 }],
    ["version 3 of a client that knows 4", { version: 0x34 }],
    ["version 5", { version: 0x55 }],
    ["a message of version 3 without post-quantum ratchet", { version: 0x34, withoutPostQuantum: true }],
    ["a message of version 4 without post-quantum ratchet", { withoutPostQuantum: true }],
    ["a message whose post-quantum ratchet is empty", { change: (f) => ({ ...f, pqRatchet: new Uint8Array(0) }) }],
    [
      "an unknown version of the post-quantum ratchet",
      { change: (f) => ({ ...f, pqRatchet: withByte(f.pqRatchet, 0, 9) }) },
    ],
    ["a message without ratchet key", { change: (f) => ({ ...f, ratchetKey: undefined }) }],
    ["a message without counter", { change: (f) => ({ ...f, counter: undefined }) }],
    ["a message without ciphertext", { change: (f) => ({ ...f, ciphertext: undefined }) }],
    ["a ciphertext that is no number of blocks", { change: (f) => ({ ...f, ciphertext: f.ciphertext?.subarray(1) }) }],
    ["a ratchet key of another type", { change: (f) => ({ ...f, ratchetKey: withByte(f.ratchetKey, 0, 6) }) }],
    ["a ratchet key that is cut", { change: (f) => ({ ...f, ratchetKey: f.ratchetKey?.subarray(0, 32) }) }],
  ])("[SE13] %s", async (_, forgery) => {
    const [from, to] = await withEngine(kind);
    const body = forgeWhisper(from, to.address, forgery);
    await expect(to.receive(from.address, { type: whisper, body })).rejects.toThrow();
    await say(from, to, "goes on");
    await say(to, from, "goes on");
  });

  test.each(lowOrder.map((key) => [Buffer.from(key).toString("hex"), key] as const))(
    "[SE2] the ratchet key of low order %s",
    async (_, ratchetKey) => {
      const [from, to] = await withEngine(kind);
      const body = forgeWhisper(from, to.address, { change: (fields) => ({ ...fields, ratchetKey }) });
      await expect(to.receive(from.address, { type: whisper, body })).rejects.toThrow();
      await say(from, to, "goes on");
    },
  );

  test("[SE13] a beginning of version 3, or without Kyber ciphertext, or without any other part", async () => {
    const { to, message } = await beginning(kind);
    const refuse = async (body: Uint8Array): Promise<void> => {
      await expect(to.receive(alice, { type: preKey, body })).rejects.toThrow();
    };
    await refuse(changedPreKeyMessage(message.body, (fields) => fields, 0x33));
    await refuse(changedPreKeyMessage(message.body, (fields) => fields, 0x34));
    await refuse(
      changedPreKeyMessage(message.body, (f) => ({ ...f, kyberCiphertext: undefined, kyberPreKeyId: undefined })),
    );
    await refuse(changedPreKeyMessage(message.body, (f) => ({ ...f, kyberCiphertext: undefined })));
    await refuse(changedPreKeyMessage(message.body, (f) => ({ ...f, kyberPreKeyId: undefined })));
    await refuse(changedPreKeyMessage(message.body, (f) => ({ ...f, preKeyId: undefined })));
    await refuse(changedPreKeyMessage(message.body, (f) => ({ ...f, signedPreKeyId: undefined })));
    await refuse(changedPreKeyMessage(message.body, (f) => ({ ...f, baseKey: undefined })));
    await refuse(changedPreKeyMessage(message.body, (f) => ({ ...f, identityKey: undefined })));
    await refuse(changedPreKeyMessage(message.body, (f) => ({ ...f, message: undefined })));
    for (const typeByte of [0x05, 0x07, 0x0a]) {
      await refuse(
        changedPreKeyMessage(message.body, (f) => ({
          ...f,
          kyberCiphertext: withByte(f.kyberCiphertext, 0, typeByte),
        })),
      );
    }
    for (const field of ["preKeyId", "signedPreKeyId", "kyberPreKeyId"] as const) {
      await refuse(changedPreKeyMessage(message.body, (f) => ({ ...f, [field]: 999 })));
    }
    expect(await to.receive(alice, message)).toEqual(text("first"));
  });

  test("[SE2] base keys of low order, and another spelling of a base key", async () => {
    const { to, message } = await beginning(kind);
    const spelled = (key: Uint8Array | undefined): Uint8Array => withByte(key, 32, (key?.[32] ?? 0) | 0x80);
    const changes = [
      ...lowOrder.map((key) => changedPreKeyMessage(message.body, (f) => ({ ...f, baseKey: key }))),
      ...lowOrder.map((key) => changedPreKeyMessage(message.body, (f) => ({ ...f, identityKey: key }))),
      // The agreements come out the same: only the check of the key itself can tell.
      changedPreKeyMessage(message.body, (f) => ({ ...f, baseKey: spelled(f.baseKey) })),
    ];
    for (const body of changes) await expect(to.receive(alice, { type: preKey, body })).rejects.toThrow();
    expect(await to.receive(alice, message)).toEqual(text("first"));
  });

  test("[SE14] a beginning for another device, for another account, or in another's name", async () => {
    const [from, to] = await pair(["engine", kind], 31);
    for (const wrong of [
      { ...bob, deviceId: 3 },
      { ...bob, accountId: alice.accountId },
    ]) {
      await from.begin(wrong, await to.newBundle());
      await expect(to.receive(alice, await from.send(wrong, text("x")))).rejects.toThrow();
    }
    await from.begin(bob, await to.newBundle());
    const message = await from.send(bob, text("x"));
    await expect(to.receive({ ...alice, deviceId: 4 }, message)).rejects.toThrow();
    await expect(to.receive({ ...alice, accountId: bob.accountId }, message)).rejects.toThrow();
    expect(await to.receive(alice, message)).toEqual(text("x"));
  });

  test("[SE10] what was received before, a beginning too, and in whatever order", async () => {
    const [from, to] = await pair(["engine", kind], 41);
    await from.begin(bob, await to.newBundle());
    const messages: Message[] = [];
    for (let index = 0; index < 6; index += 1) messages.push(await from.send(bob, text(`${index}`)));
    for (const index of [3, 0, 5, 1, 4, 2]) {
      const message = messages[index] ?? expect.fail();
      expect(await to.receive(alice, message)).toEqual(text(`${index}`));
      await expect(to.receive(alice, message)).rejects.toThrow();
    }
    await say(to, from, "answer");
    const later = await from.send(bob, text("later"));
    expect(await to.receive(alice, later)).toEqual(text("later"));
    for (const message of [...messages, later]) await expect(to.receive(alice, message)).rejects.toThrow();
  });

  test("[SE15] any changed bit of a message", async () => {
    const numbers = new SeededNumbers(51);
    const [from, to] = await withEngine(kind);
    const { type, body } = await from.send(to.address, text("unchanged"));
    for (let bit = 0; bit < body.length * 8; bit += 1 + numbers.below(4)) {
      const changed = flipped(body, bit);
      await expect(to.receive(from.address, { type, body: changed }), `bit ${bit}`).rejects.toThrow();
    }
    expect(await to.receive(from.address, { type, body })).toEqual(text("unchanged"));
  });

  test("[SE15] any changed bit of a beginning, but for the registration id", async () => {
    const numbers = new SeededNumbers(52);
    const { to, message } = await beginning(kind);
    const without = changedPreKeyMessage(message.body, (fields) => ({ ...fields, registrationId: undefined }));
    const registrationIdAt = message.body.findIndex((byte, index) => byte !== without[index]);
    const registrationIdEnd = registrationIdAt + message.body.length - without.length;
    for (let index = 0; index < 150; index += 1) {
      // Half of them outside of the ciphertext, which is most of the message.
      const bit = numbers.below(index % 2 === 0 ? message.body.length * 8 : 250 * 8);
      // The official library reads half of the version byte only.
      if (kind === "official" && bit < 8) continue;
      if (bit >> 3 >= registrationIdAt && bit >> 3 < registrationIdEnd) continue;
      await expect(
        to.receive(alice, { type: preKey, body: flipped(message.body, bit) }),
        `bit ${bit}`,
      ).rejects.toThrow();
    }
    expect(await to.receive(alice, message)).toEqual(text("first"));
  });

  test("[SE2] a bundle with a wrong signature, or with keys that are no keys", async () => {
    const [from, to] = await pair([kind, "engine"], 61);
    if (!(to instanceof EngineDevice)) throw new Error("no engine");
    const good = await to.newBundle();
    const { platform, identity } = to;
    const other = await generateKeyPair(platform);
    const signed = async (key: Uint8Array, by = identity.privateKey) => ({
      id: 1,
      publicKey: key,
      signature: await sign(platform, by, key),
    });
    const bundles: [string, PreKeyBundle][] = [
      [
        "signature of the signed prekey",
        { ...good, signedPreKey: { ...good.signedPreKey, signature: good.kyberPreKey.signature } },
      ],
      [
        "signature of the Kyber prekey",
        { ...good, kyberPreKey: { ...good.kyberPreKey, signature: good.signedPreKey.signature } },
      ],
      [
        "signed prekey by another identity",
        { ...good, signedPreKey: await signed(good.signedPreKey.publicKey, other.privateKey) },
      ],
      ["another identity", { ...good, identityKey: other.publicKey }],
      ["signature of zeros", { ...good, signedPreKey: { ...good.signedPreKey, signature: new Uint8Array(64) } }],
      ["short signature", { ...good, signedPreKey: { ...good.signedPreKey, signature: new Uint8Array(63) } }],
      ["Kyber key of type 7", { ...good, kyberPreKey: await signed(withByte(good.kyberPreKey.publicKey, 0, 7)) }],
      ["Kyber key of type 10", { ...good, kyberPreKey: await signed(withByte(good.kyberPreKey.publicKey, 0, 10)) }],
      ["cut Kyber key", { ...good, kyberPreKey: await signed(good.kyberPreKey.publicKey.subarray(0, 1568)) }],
      ["cut signed prekey", { ...good, signedPreKey: await signed(good.signedPreKey.publicKey.subarray(0, 32)) }],
      ["identity of another type", { ...good, identityKey: withByte(good.identityKey, 0, 4) }],
    ];
    for (const key of lowOrder) {
      bundles.push(
        ["signed prekey of low order", { ...good, signedPreKey: await signed(key) }],
        ["one-time prekey of low order", { ...good, preKey: { id: 1, publicKey: key } }],
        ["identity of low order", { ...good, identityKey: key }],
      );
    }
    for (const [reason, bundle] of bundles) await expect(from.begin(to.address, bundle), reason).rejects.toThrow();
    await from.begin(to.address, good);
    await say(from, to, "first");
  });
});

test("[SE14] the engine refuses a beginning without addresses, which nobody who speaks this version sends", async () => {
  const { from, to, message } = await beginning("engine");
  const inner = forgeWhisper(from, to.address);
  const body = changedPreKeyMessage(message.body, (fields) => ({ ...fields, message: inner }));
  await expect(to.receive(alice, { type: preKey, body })).rejects.toThrow();
  expect(await to.receive(alice, message)).toEqual(text("first"));
});

test("[SE2] the engine refuses other spellings of any key", async () => {
  const [from, to] = await withEngine("engine");
  const spelled = (key: Uint8Array): Uint8Array => withByte(key, 32, (key[32] ?? 0) | 0x80);
  const body = forgeWhisper(from, to.address, {
    change: (fields) => ({ ...fields, ratchetKey: spelled(fields.ratchetKey ?? expect.fail()) }),
  });
  await expect(to.receive(from.address, { type: whisper, body })).rejects.toThrow(/canonical/);
  const good = await to.newBundle();
  const other = await device("engine", alice, 9);
  const platform = await seededPlatform(9);
  if (!(to instanceof EngineDevice)) throw new Error("no engine");
  const publicKey = spelled(good.signedPreKey.publicKey);
  const signature = await sign(platform, to.identity.privateKey, publicKey);
  const bundles: PreKeyBundle[] = [
    { ...good, signedPreKey: { id: 1, publicKey, signature } },
    { ...good, preKey: { id: 1, publicKey: spelled(good.preKey?.publicKey ?? expect.fail()) } },
    { ...good, identityKey: spelled(good.identityKey) },
  ];
  for (const bundle of bundles) await expect(other.begin(bob, bundle)).rejects.toThrow(/canonical/);
});

function withByte(bytes: Uint8Array | undefined, index: number, value: number): Uint8Array {
  const changed = Uint8Array.from(bytes ?? []);
  changed[index] = value;
  return changed;
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return withByte(bytes, bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
}
