import { createCipheriv, hkdfSync } from "node:crypto";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { be64, concat, utf8 } from "../bytes.ts";
import { seededRandom } from "../testing/seeded-random.ts";
import { clearLengthOf, frameOverhead, parseFrame, type FrameCodec, type TrackRole } from "./format.ts";
import { maxStepsAhead, oldKeyMs } from "./generation.ts";
import type { Member } from "./member.ts";
import { FrameReceiver, maxGenerations, type Opened } from "./receiver.ts";
import { ReplayWindow, windowSize } from "./replay-window.ts";
import { commitmentOf, deriveRoleKey, type FrameKey, keyContext, nextSecret } from "./schedule.ts";
import { FrameSender } from "./sender.ts";

const { subtle } = globalThis.crypto;
const random = seededRandom("frames");
const call = "00000000-0000-4000-8000-0000000000ca";
const otherCall = "00000000-0000-4000-8000-0000000000cb";
const ana: Member = {
  accountId: "11111111-1111-4111-8111-111111111111",
  deviceId: 1,
  joinId: "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
};
const ben: Member = {
  accountId: "22222222-2222-4222-8222-222222222222",
  deviceId: 7,
  joinId: "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb",
};
const vp8Delta = Uint8Array.of(0x31, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
const vp8Key = Uint8Array.of(0x30, 1, 2, 0x9d, 0x01, 0x2a, 0x80, 2, 0xe0, 1, 10, 11, 12);

function keyOf(epoch = 1, step = 0): FrameKey {
  return { epoch, step, secret: random(32) };
}

/** The same key some steps later. */
function later(key: FrameKey, steps: number, owner = ana, callId = call): FrameKey {
  const context = keyContext(callId, owner, key.epoch);
  let { secret, step } = key;
  for (let count = 0; count < steps; count++) secret = nextSecret(context, secret, ++step);
  return { epoch: key.epoch, step, secret };
}

/** Ana sends, somebody who has her key receives. */
function pair(key = keyOf()): { sender: FrameSender; receiver: FrameReceiver } {
  const sender = new FrameSender(subtle, call, ana);
  const receiver = new FrameReceiver(subtle, call);
  sender.install(key);
  receiver.install(ana, key, 0);
  return { sender, receiver };
}

async function seal(sender: FrameSender, frame: Uint8Array, role: TrackRole = "audio", codec: FrameCodec = "opus") {
  const sealed = await sender.seal(role, codec, frame);
  if (sealed === undefined) throw new Error("no key");
  return sealed;
}

function outcome(opened: Opened): Uint8Array | string {
  return opened.kind === "frame" ? opened.frame : opened.reason;
}

async function open(receiver: FrameReceiver, frame: Uint8Array, role: TrackRole = "audio", nowMs = 0) {
  return outcome(await receiver.open(ana.joinId, role, frame, nowMs));
}

test("[FR1] the derivations are those of the specification, by another implementation", () => {
  const secret = Uint8Array.from({ length: 32 }, (_, index) => index);
  const context = concat(
    utf8("LesCopains frames 1\0"),
    hexToBytes(call.replaceAll("-", "")),
    hexToBytes(ana.accountId.replaceAll("-", "")),
    Uint8Array.of(1),
    hexToBytes(ana.joinId.replaceAll("-", "")),
    be64(5),
  );
  const derive = (ikm: Uint8Array, info: Uint8Array, length: number) =>
    new Uint8Array(hkdfSync("sha256", ikm, new Uint8Array(0), info, length));
  expect(keyContext(call, ana, 5)).toEqual(context);
  const one = derive(secret, concat(context, utf8("step"), Uint8Array.of(1)), 32);
  expect(nextSecret(context, secret, 1)).toEqual(one);
  const { key, salt } = deriveRoleKey(context, { step: 1, secret: one }, "camera");
  expect(concat(key, salt)).toEqual(derive(one, concat(context, utf8("role"), Uint8Array.of(1, 2)), 44));
  expect(commitmentOf(context, secret)).toEqual(derive(secret, concat(context, utf8("commitment")), 32));
  expect(bytesToHex(concat(one, key, salt, commitmentOf(context, secret)))).toMatchInlineSnapshot(
    `"1e2cf901032c4d75bf41eb1dea0a0078f6e047b50b7ee738896130f85792dec8fa8a0bac0228ffdb82b5631fa27a355199c0876d43a8ee00a50b76eae8dd919696d9f8f352b00cdb834c47d410220505b92f362f8c69105d4ca99289537e333bb095bda520cb7f26fd4eb4f6"`,
  );
});

test("[FR1] every part of what a key is bound to makes another key", () => {
  const secret = random(32);
  const contexts = [
    keyContext(call, ana, 1),
    keyContext(otherCall, ana, 1),
    keyContext(call, ana, 2),
    keyContext(call, { ...ana, accountId: ben.accountId }, 1),
    keyContext(call, { ...ana, deviceId: 2 }, 1),
    keyContext(call, { ...ana, joinId: ben.joinId }, 1),
  ];
  const keys = contexts.flatMap((context) =>
    [0, 1].flatMap((step) =>
      (["audio", "camera", "screen", "screen-audio"] as const).map((role) =>
        bytesToHex(deriveRoleKey(context, { step, secret }, role).key),
      ),
    ),
  );
  const secrets = contexts.flatMap((context) => [nextSecret(context, secret, 1), commitmentOf(context, secret)]);
  expect(new Set([...keys, ...secrets.map((bytes) => bytesToHex(bytes))]).size).toBe(keys.length + secrets.length);
});

test("[FR2] a frame is AES-256-GCM with the layout of the specification, by another implementation", async () => {
  const key: FrameKey = { epoch: 0x105, step: 3, secret: new Uint8Array(32).fill(9) };
  const { sender, receiver } = pair(key);
  await seal(sender, Uint8Array.of(1));
  const sealed = await seal(sender, vp8Key, "camera", "vp8");
  const derived = deriveRoleKey(keyContext(call, ana, 0x105), key, "camera");
  const trailer = Uint8Array.of(5, 3, 0, 0, 0, 1, 0x1a);
  const nonce = Uint8Array.from(derived.salt);
  nonce[11] = nonce[11]! ^ 1;
  const cipher = createCipheriv("aes-256-gcm", derived.key, nonce);
  cipher.setAAD(concat(vp8Key.subarray(0, 10), trailer, Uint8Array.of(2)));
  const ciphertext = concat(cipher.update(vp8Key.subarray(10)), cipher.final(), cipher.getAuthTag());
  expect(sealed).toEqual(concat(vp8Key.subarray(0, 10), ciphertext, trailer));
  expect(bytesToHex(sealed)).toMatchInlineSnapshot(
    `"3001029d012a8002e001e533fed5030348465580af7b25339b05cad4c20503000000011a"`,
  );
  expect(await open(receiver, sealed, "camera")).toEqual(vp8Key);
  expect(sealed.length).toBe(vp8Key.length + frameOverhead);
});

test("[FR3] 10 bytes of a VP8 key frame and 1 of a delta frame stay clear, nothing of VP9 and Opus", async () => {
  expect(clearLengthOf("vp8", vp8Key)).toBe(10);
  expect(clearLengthOf("vp8", vp8Delta)).toBe(1);
  expect(clearLengthOf("vp8", vp8Key.subarray(0, 5))).toBe(1);
  expect(clearLengthOf("vp8", new Uint8Array(0))).toBe(0);
  expect(clearLengthOf("vp9", vp8Key)).toBe(0);
  expect(clearLengthOf("opus", vp8Key)).toBe(0);
  const { sender, receiver } = pair();
  for (const frame of [vp8Key, vp8Delta, vp8Key.subarray(0, 5), new Uint8Array(0)]) {
    const sealed = await seal(sender, frame, "screen", "vp8");
    const clear = clearLengthOf("vp8", frame);
    expect(sealed.subarray(0, clear)).toEqual(frame.subarray(0, clear));
    expect(await open(receiver, sealed, "screen")).toEqual(frame);
  }
});

test("[FR4] no nonce comes twice, across tracks, keys and frames that overtake each other", async () => {
  const sender = new FrameSender(subtle, call, ana);
  const roles = ["audio", "camera", "screen", "screen-audio"] as const;
  const sealed: Promise<Uint8Array>[] = [];
  let key = keyOf();
  for (let count = 0; count < 400; count++) {
    if (count % 50 === 0) sender.install((key = count % 100 === 0 ? keyOf(count + 1) : later(key, 1)));
    sealed.push(seal(sender, Uint8Array.of(count), roles[count % 4]));
  }
  const counters = (await Promise.all(sealed)).map((frame) => parseFrame(frame)!.counter);
  expect(counters).toEqual(Array.from({ length: 400 }, (_, index) => index));
});

test("[FR4] a key gives way to a newer one only, and nothing leaves without one", async () => {
  const sender = new FrameSender(subtle, call, ana);
  expect(await sender.seal("audio", "opus", vp8Key)).toBeUndefined();
  sender.install(keyOf(5, 2));
  for (const [epoch, step] of [
    [5, 2],
    [5, 1],
    [4, 9],
  ]) {
    expect(() => sender.install(keyOf(epoch, step))).toThrow(RangeError);
  }
  sender.install(keyOf(5, 3));
  sender.install(keyOf(6, 0));
  sender.close();
  expect(await sender.seal("audio", "opus", vp8Key)).toBeUndefined();
});

test("[FR5] whatever is lost, reordered or repeated, each frame opens once and as it was", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 30 }),
      fc.array(fc.nat({ max: 29 }), { maxLength: 60 }),
      async (frames, arrivals) => {
        const { sender, receiver } = pair();
        const sealed = await Promise.all(frames.map((frame) => seal(sender, frame, "camera", "vp8")));
        const seen = new Set<number>();
        for (const arrival of arrivals) {
          const index = arrival % frames.length;
          expect(await open(receiver, sealed[index]!, "camera")).toEqual(seen.has(index) ? "replayed" : frames[index]);
          seen.add(index);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("[FR5] two copies at the same moment: one opens", async () => {
  const { sender, receiver } = pair();
  const sealed = await seal(sender, vp8Key);
  const both = await Promise.all([open(receiver, sealed), open(receiver, sealed)]);
  expect(both).toEqual([vp8Key, "replayed"]);
});

test("[FR5] the window is what a plain set of counters says", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(40), fc.nat(3_000), fc.nat(2 ** 32 - 1)), { maxLength: 200 }), (counters) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let newest = -1;
      for (const counter of counters) {
        expect(window.has(counter)).toBe(seen.has(counter) || counter <= newest - windowSize);
        if (window.has(counter)) continue;
        window.add(counter);
        seen.add(counter);
        newest = Math.max(newest, counter);
      }
    }),
  );
});

test("[FR5] a frame that does not authenticate takes no place in the window", async () => {
  const { sender, receiver } = pair();
  const sealed = await seal(sender, vp8Key);
  const far = Uint8Array.from(sealed);
  far.set([0xff, 0xff, 0xff, 0xff], sealed.length - 5);
  expect(await open(receiver, far)).toBe("not_authentic");
  expect(await open(receiver, sealed)).toEqual(vp8Key);
});

test("[FR6] a changed bit anywhere, another role, call, member or epoch: dropped, and the good frame still opens", async () => {
  const key = keyOf();
  const { sender, receiver } = pair(key);
  const sealed = await seal(sender, vp8Delta, "camera", "vp8");
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const forged = Uint8Array.from(sealed);
    forged[bit >> 3] = forged[bit >> 3]! ^ (1 << (bit & 7));
    expect(["malformed", "unknown_key", "old_key", "not_authentic"]).toContain(await open(receiver, forged, "camera"));
  }
  for (let length = 0; length < sealed.length; length++) {
    expect(["malformed", "unknown_key", "not_authentic"]).toContain(
      await open(receiver, sealed.subarray(0, length), "camera"),
    );
  }
  for (const role of ["audio", "screen", "screen-audio"] as const) {
    expect(await open(receiver, sealed, role)).toBe("not_authentic");
  }
  receiver.install(ben, key, 0);
  expect(outcome(await receiver.open(ben.joinId, "camera", sealed, 0))).toBe("not_authentic");
  const elsewhere = new FrameReceiver(subtle, otherCall);
  elsewhere.install(ana, key, 0);
  expect(await open(elsewhere, sealed, "camera")).toBe("not_authentic");
  const otherEpoch = new FrameReceiver(subtle, call);
  otherEpoch.install(ana, { ...key, epoch: 257 }, 0);
  expect(await open(otherEpoch, sealed, "camera")).toBe("not_authentic");
  expect(await open(receiver, sealed, "camera")).toEqual(vp8Delta);
});

test("[FR6] any bytes are dropped, and never believed", async () => {
  const { sender, receiver } = pair();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (bytes) => {
      expect(typeof (await open(receiver, bytes))).toBe("string");
    }),
  );
  expect(await open(receiver, await seal(sender, vp8Key))).toEqual(vp8Key);
});

test("[FR7] after a step the others go along by themselves; who got that step reads nothing of before", async () => {
  const key = keyOf();
  const { sender, receiver } = pair(key);
  const before = await seal(sender, Uint8Array.of(1));
  const stepped = later(key, 1);
  sender.install(stepped);
  const newcomer = new FrameReceiver(subtle, call);
  newcomer.install(ana, stepped, 0);
  const after = await seal(sender, Uint8Array.of(2));
  expect(await open(receiver, after)).toEqual(Uint8Array.of(2));
  expect(await open(receiver, before)).toEqual(Uint8Array.of(1));
  expect(await open(newcomer, before)).toBe("old_key");
  expect(await open(newcomer, after)).toEqual(Uint8Array.of(2));
});

test("[FR7] a frame of before a step opens for some seconds, then it is gone", async () => {
  const key = keyOf();
  const { sender, receiver } = pair(key);
  const [first, second, third] = await Promise.all([1, 2, 3].map((byte) => seal(sender, Uint8Array.of(byte))));
  expect(await open(receiver, first!)).toEqual(Uint8Array.of(1));
  sender.install(later(key, 1));
  expect(await open(receiver, await seal(sender, Uint8Array.of(4)), "audio", 1_000)).toEqual(Uint8Array.of(4));
  expect(await open(receiver, second!, "audio", 1_000 + oldKeyMs - 1)).toEqual(Uint8Array.of(2));
  expect(await open(receiver, third!, "audio", 1_000 + oldKeyMs)).toBe("old_key");
});

test("[FR7] forged steps cost 64 derivations at most, and move nothing", async () => {
  const key = keyOf();
  const { sender, receiver } = pair(key);
  const sealed = await seal(sender, vp8Key);
  const outcomes = new Map<number, unknown>();
  for (let step = 0; step < 256; step++) {
    const forged = Uint8Array.from(sealed);
    forged[sealed.length - 6] = step;
    if (step > 0) outcomes.set(step, await open(receiver, forged));
  }
  expect(outcomes.get(maxStepsAhead)).toBe("not_authentic");
  expect(outcomes.get(maxStepsAhead + 1)).toBe("unknown_key");
  expect(await open(receiver, sealed)).toEqual(vp8Key);
  sender.install(later(key, maxStepsAhead + 1));
  const far = await seal(sender, Uint8Array.of(1));
  expect(await open(receiver, far)).toBe("unknown_key");
  receiver.install(ana, later(key, maxStepsAhead), 0);
  expect(await open(receiver, far)).toEqual(Uint8Array.of(1));
  receiver.install(ana, key, 0);
  expect(await open(receiver, await seal(sender, Uint8Array.of(2)))).toEqual(Uint8Array.of(2));
});

test("[FR8] the key of an earlier epoch opens for some seconds after the next one came, then it is gone", async () => {
  const { sender, receiver } = pair(keyOf(1));
  const [early, late] = await Promise.all([seal(sender, Uint8Array.of(1)), seal(sender, Uint8Array.of(2))]);
  const next = keyOf(4);
  receiver.install(ana, next, 1_000);
  sender.install(next);
  expect(await open(receiver, await seal(sender, Uint8Array.of(3)), "audio", 1_000)).toEqual(Uint8Array.of(3));
  expect(await open(receiver, early, "audio", 1_000 + oldKeyMs - 1)).toEqual(Uint8Array.of(1));
  expect(await open(receiver, late, "audio", 1_000 + oldKeyMs)).toBe("unknown_key");
});

test("[FR8] a member's last epochs are kept, not more, and an old one that comes late puts none of them out", async () => {
  const keys = [1, 2, 3, 4, 5].map((epoch) => keyOf(epoch));
  const receiver = new FrameReceiver(subtle, call);
  for (const key of [keys[1]!, keys[3]!, keys[4]!, keys[0]!, keys[2]!]) receiver.install(ana, key, 0);
  const opened: number[] = [];
  for (const key of keys) {
    const sender = new FrameSender(subtle, call, ana);
    sender.install(key);
    for (let skip = 0; skip < key.epoch; skip++) await seal(sender, Uint8Array.of(0));
    if (typeof (await open(receiver, await seal(sender, Uint8Array.of(1)))) !== "string") opened.push(key.epoch);
  }
  expect(opened).toEqual([3, 4, 5]);
  expect(opened.length).toBe(maxGenerations);
});

test("[FR8] keys of epochs that frames name alike, 256 apart, open what was sent with each", async () => {
  const [old, next] = [keyOf(5, 2), keyOf(261)];
  const { sender, receiver } = pair(old);
  receiver.install(ana, next, 0);
  // The next key is there before it is sent with.
  const sealed = await seal(sender, vp8Delta, "camera", "vp8");
  expect(await open(receiver, sealed, "camera")).toEqual(vp8Delta);
  expect(await open(receiver, sealed, "camera")).toBe("replayed");
  const late = await seal(sender, vp8Key, "camera", "vp8");
  sender.install(next);
  const after = await seal(sender, vp8Delta, "camera", "vp8");
  const forged = Uint8Array.from(after);
  forged[5] = forged[5]! ^ 1;
  expect(await open(receiver, forged, "camera")).toBe("not_authentic");
  expect(await open(receiver, after, "camera")).toEqual(vp8Delta);
  expect(await open(receiver, late, "camera", oldKeyMs - 1)).toEqual(vp8Key);
});

test("[FR8] after a member left nothing of it opens, not even what is being opened", async () => {
  const { sender, receiver } = pair();
  const [one, two] = await Promise.all([seal(sender, vp8Key), seal(sender, vp8Key)]);
  const opening = open(receiver, one);
  receiver.forget(ana.joinId);
  expect(await opening).toBe("old_key");
  expect(await open(receiver, two)).toBe("unknown_key");
});
