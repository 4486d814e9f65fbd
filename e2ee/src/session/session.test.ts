import { shake128 } from "@noble/hashes/sha3.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtocolError } from "../errors.ts";
import type { ProtocolErrorCode } from "../errors.ts";
import { nobleCurve } from "../platform.ts";
import type { Platform } from "../platform.ts";
import type { Address } from "./address.ts";
import type { PreKeyBundle } from "./bundle.ts";
import { generateIdentity, generateKyberPreKey, generatePreKeys, generateSignedPreKey } from "./keys.ts";
import { archiveSession, sessionStatus, unacknowledgedTtlMs, wipeReplaced } from "./record.ts";
import { decodeRecord, encodeRecord } from "./record-codec.ts";
import { decodeRetryRequest, encodeRetryRequest, isAboutCurrentSession, retryRequestFor } from "./retry.ts";
import { decrypt, encrypt, startSession } from "./session.ts";
import type { Ciphertext, Conversation, Decrypted, LocalPreKeys } from "./session.ts";
import type { SessionRecord } from "./state.ts";

const nowMs = 1_000_000;
const alice: Address = { accountId: "11111111-1111-4111-8111-111111111111", deviceId: 1 };
const bob: Address = { accountId: "2e0b7a52-7c1d-4f8e-9a51-c5d1e0f4a0b2", deviceId: 127 };

/** Randomness that a seed repeats. */
function platformOf(seed: string): Platform {
  const source = shake128.create().update(new TextEncoder().encode(seed));
  return { random: (length) => source.xof(length), curve: nobleCurve };
}

interface Person {
  readonly conversation: Conversation;
  readonly bundle: PreKeyBundle;
  readonly preKeys: LocalPreKeys;
}

async function person(name: string, address: Address, remote: Address): Promise<Person> {
  const platform = platformOf(name);
  const identity = await generateIdentity(platform);
  const [preKey] = await generatePreKeys(platform, 7, 1);
  const signed = await generateSignedPreKey(platform, identity, 8, nowMs);
  const kyber = await generateKyberPreKey(platform, identity, 9, nowMs);
  if (preKey === undefined) throw new Error("no prekey");
  return {
    conversation: { platform, local: { identity, registrationId: 5, address }, remote },
    bundle: {
      registrationId: 5,
      identityKey: identity.publicKey,
      signedPreKey: { id: 8, publicKey: signed.keyPair.publicKey, signature: signed.signature },
      kyberPreKey: { id: 9, publicKey: kyber.keyPair.publicKey, signature: kyber.signature },
      preKey: { id: 7, publicKey: preKey.keyPair.publicKey },
    },
    preKeys: {
      preKey: async (id) => (id === 7 ? preKey.keyPair : undefined),
      signedPreKey: async (id) => (id === 8 ? signed.keyPair : undefined),
      kyberPreKey: async (id) => (id === 9 ? kyber.keyPair : undefined),
    },
  };
}

/** Two people with a session that both have written in, and what they know of each other. */
async function acquainted() {
  const a = await person("alice", alice, bob);
  const b = await person("bob", bob, alice);
  let ofA = await startSession(a.conversation, undefined, b.bundle, nowMs);
  const first = await write(a, ofA, "first");
  ofA = first.record;
  const read = await decrypt(b.conversation, undefined, first.message, b.preKeys);
  const answer = await write(b, read.record, "answer");
  ofA = (await decrypt(a.conversation, ofA, answer.message, a.preKeys)).record;
  return { a, b, ofA, ofB: answer.record, first: first.message, started: read };
}

function write({ conversation }: Person, record: SessionRecord, words: string) {
  return encrypt(conversation, record, new TextEncoder().encode(words), nowMs);
}

function readWords({ plaintext }: Decrypted): string {
  return new TextDecoder().decode(plaintext);
}

async function codeOf(attempt: Promise<unknown>): Promise<ProtocolErrorCode | undefined> {
  try {
    await attempt;
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
}

function changed({ type, body }: Ciphertext, index: number): Ciphertext {
  const copy = Uint8Array.from(body);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return { type, body: copy };
}

test("[SE1] the answer says whose message it was and which prekeys it has used", async () => {
  const { a, started } = await acquainted();
  expect(started.identityKey).toEqual(a.bundle.identityKey);
  expect(started.usedPreKeys).toMatchObject({ preKeyId: 7, signedPreKeyId: 8, kyberPreKeyId: 9 });
});

test("[SE3] a record tells whether it can be written with", async () => {
  const { a, b, ofA } = await acquainted();
  expect(sessionStatus(undefined, nowMs)).toBe("none");
  expect(sessionStatus(ofA, nowMs + 10 * unacknowledgedTtlMs)).toBe("established");
  expect(sessionStatus(archiveSession(ofA), nowMs)).toBe("none");
  const fresh = await startSession(a.conversation, ofA, b.bundle, nowMs);
  expect(sessionStatus(fresh, nowMs)).toBe("unacknowledged");
  expect(sessionStatus(fresh, nowMs + unacknowledgedTtlMs + 1)).toBe("expired");
  const late = encrypt(a.conversation, fresh, new Uint8Array(1), nowMs + unacknowledgedTtlMs + 1);
  expect(await codeOf(late)).toBe("no_session");
  expect(await codeOf(encrypt(a.conversation, undefined, new Uint8Array(1), nowMs))).toBe("no_session");
});

test("[SE6] another identity than the trusted one is refused everywhere", async () => {
  const { a, b, ofA, ofB, first } = await acquainted();
  const wary = { ...a.conversation, trustedIdentity: a.bundle.identityKey };
  expect(await codeOf(startSession(wary, undefined, b.bundle, nowMs))).toBe("untrusted_identity");
  expect(await codeOf(encrypt(wary, ofA, new Uint8Array(1), nowMs))).toBe("untrusted_identity");
  const { message } = await write(b, ofB, "hello");
  expect(await codeOf(decrypt(wary, ofA, message, a.preKeys))).toBe("untrusted_identity");
  const waryBob = { ...b.conversation, trustedIdentity: b.bundle.identityKey };
  expect(await codeOf(decrypt(waryBob, undefined, first, b.preKeys))).toBe("untrusted_identity");
});

test("[SE8] a beginning whose prekeys are gone is refused with its own code", async () => {
  const { b, first } = await acquainted();
  const gone = async () => undefined;
  for (const which of ["preKey", "signedPreKey", "kyberPreKey"]) {
    const attempt = decrypt(b.conversation, undefined, first, { ...b.preKeys, [which]: gone });
    expect(await codeOf(attempt)).toBe("unknown_prekey");
  }
});

test("[SE10] [SE11] [SE14] refusals have codes and leave the record as it was, byte for byte", async () => {
  const { a, b, ofA, ofB, first } = await acquainted();
  const read = await write(a, ofA, "read");
  const far = await write(a, read.record, "far");
  const record = (await decrypt(b.conversation, ofB, read.message, b.preKeys)).record;
  const before = encodeRecord(record);
  const refused = async (message: { type: number; body: Uint8Array }, conversation = b.conversation) =>
    codeOf(decrypt(conversation, record, message, b.preKeys));
  expect(await refused(read.message)).toBe("duplicate_message");
  expect(await refused(first)).toBe("duplicate_message");
  expect(await refused(changed(far.message, far.message.body.length - 1))).toBe("invalid_message");
  expect(await refused(changed(far.message, 0))).toBe("unsupported_version");
  expect(await refused({ type: 7, body: far.message.body })).toBe("invalid_message");
  expect(await refused({ type: 3, body: far.message.body })).toBe("invalid_message");
  const elsewhere = { ...b.conversation, remote: { ...alice, deviceId: 2 } };
  expect(await refused(first, elsewhere)).toBe("wrong_address");
  const nobody = decrypt(b.conversation, undefined, far.message, b.preKeys);
  expect(await codeOf(nobody)).toBe("no_session");
  expect(encodeRecord(record)).toEqual(before);
  expect(readWords(await decrypt(b.conversation, record, far.message, b.preKeys))).toBe("far");
});

test("[SE11] a state that was used is still as it was: the same message can be read from it again", async () => {
  const { a, b, ofA, ofB } = await acquainted();
  let record = ofA;
  const messages: Ciphertext[] = [];
  for (let index = 0; index < 5; index += 1) {
    const written = await write(a, record, `${index}`);
    record = written.record;
    messages.push(written.message);
  }
  const before = encodeRecord(ofB);
  for (const [index, message] of [...messages.entries()].toReversed()) {
    expect(readWords(await decrypt(b.conversation, ofB, message, b.preKeys))).toBe(`${index}`);
  }
  expect(encodeRecord(ofB)).toEqual(before);
});

test("[SE17] a record that was stored and read again goes on, and stays the same when nothing happens", async () => {
  let { a, b, ofA, ofB } = await acquainted();
  const late = await write(b, ofB, "late");
  ofB = late.record;
  ofA = await startSession(a.conversation, ofA, b.bundle, nowMs);
  for (let round = 0; round < 60; round += 1) {
    const [from, to] = round % 3 === 0 ? [a, b] : [a, b].toReversed();
    const mine = from === a ? ofA : ofB;
    const theirs = from === a ? ofB : ofA;
    if (from === undefined || to === undefined) throw new Error("nobody");
    const { record, message } = await write(from, decodeRecord(encodeRecord(mine)), `${round}`);
    const read = await decrypt(to.conversation, decodeRecord(encodeRecord(theirs)), message, to.preKeys);
    expect(readWords(read)).toBe(`${round}`);
    [ofA, ofB] = from === a ? [record, read.record] : [read.record, record];
    expect(encodeRecord(decodeRecord(encodeRecord(ofA)))).toEqual(encodeRecord(ofA));
  }
  expect(readWords(await decrypt(a.conversation, ofA, late.message, a.preKeys))).toBe("late");
});

test("[SE17] overwriting what a record has replaced leaves the new record whole", async () => {
  let { a, b, ofA, ofB } = await acquainted();
  const next = (before: SessionRecord, after: SessionRecord): SessionRecord => {
    const whole = encodeRecord(after);
    wipeReplaced(before, after);
    expect(encodeRecord(after)).toEqual(whole);
    return after;
  };
  for (let round = 0; round < 40; round += 1) {
    const written = await write(a, ofA, `a${round}`);
    ofA = next(ofA, written.record);
    ofB = next(ofB, (await decrypt(b.conversation, ofB, written.message, b.preKeys)).record);
    const answer = await write(b, ofB, `b${round}`);
    ofB = next(ofB, answer.record);
    ofA = next(ofA, (await decrypt(a.conversation, ofA, answer.message, a.preKeys)).record);
  }
  expect(sessionStatus(ofA, nowMs)).toBe("established");
});

test("[SE18] any bytes, and any change to a record, give a record or a typed error", async () => {
  const { a, b, ofA } = await acquainted();
  const valid = encodeRecord(await startSession(a.conversation, ofA, b.bundle, nowMs));
  const read = (bytes: Uint8Array): void => {
    try {
      decodeRecord(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(ProtocolError);
      expect(error).toMatchObject({ code: "invalid_record" });
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), read), { numRuns: 500 });
  const position = fc.nat(valid.length - 1);
  fc.assert(
    fc.property(position, fc.nat(255), fc.boolean(), (at, value, cut) => {
      const bytes = valid.slice(0, cut ? at : valid.length);
      bytes[at] = value;
      read(bytes);
    }),
    { numRuns: 2_000 },
  );
  const other = Uint8Array.from(valid);
  other[1] = 2;
  expect(() => decodeRecord(other)).toThrow(ProtocolError);
});

test("[SE16] any bytes in place of a message, and any change to one, give words or a typed error", async () => {
  const { a, b, ofA, ofB, first } = await acquainted();
  const { message } = await write(a, ofA, "hello");
  const read = async (type: number, body: Uint8Array): Promise<void> => {
    await codeOf(decrypt(b.conversation, ofB, { type, body }, b.preKeys));
  };
  const types = fc.constantFrom(2, 3);
  await fc.assert(fc.asyncProperty(types, fc.uint8Array({ maxLength: 300 }), read), { numRuns: 500 });
  await fc.assert(
    fc.asyncProperty(types, fc.nat(), fc.nat(255), fc.boolean(), async (type, seed, value, cut) => {
      const valid = type === 2 ? message.body : first.body;
      const at = seed % valid.length;
      const body = valid.slice(0, cut ? at : valid.length);
      body[at] = value;
      await read(type, body);
    }),
    { numRuns: 1_000 },
  );
});

test("[SE19] a request to send again names the session that failed", async () => {
  const { a, b, ofA, ofB } = await acquainted();
  const { record, message } = await write(a, ofA, "lost");
  const request = decodeRetryRequest(encodeRetryRequest(retryRequestFor(message, 123_456_789_012, 1)));
  expect(request).toMatchObject({ timestampMs: 123_456_789_012, deviceId: 1 });
  expect(isAboutCurrentSession(record, request)).toBe(true);
  expect(isAboutCurrentSession(await startSession(a.conversation, record, b.bundle, nowMs), request)).toBe(false);
  expect(isAboutCurrentSession(ofB, request)).toBe(false);
  const nonsense = retryRequestFor({ type: 2, body: new Uint8Array(9) }, 1, 1);
  expect(decodeRetryRequest(encodeRetryRequest(nonsense)).ratchetKey).toBeUndefined();
});

test("[SE19] any bytes in place of a request give a request or a typed error", () => {
  const body = fc.uint8Array({ maxLength: 100 }).map((bytes) => Uint8Array.of(0xc0, ...bytes, 0x80));
  fc.assert(
    fc.property(fc.oneof(body, fc.uint8Array({ maxLength: 100 })), (bytes) => {
      try {
        decodeRetryRequest(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
    { numRuns: 1_000 },
  );
});
