import { createDecipheriv, createHash } from "node:crypto";
import { ReadableStream } from "node:stream/web";
import fc from "fast-check";
import { expect, test } from "vitest";
import { concat, equal } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { paddedLength } from "../padding.ts";
import { seededRandom } from "../testing/seeded-random.ts";
import { maxSealedBytes } from "./format.ts";
import { openAttachment } from "./open.ts";
import { type AttachmentSecret, sealAttachment, type SealOptions } from "./seal.ts";

const { subtle } = globalThis.crypto;
const random = seededRandom("attachments");
const maxBytes = 2 ** 20;
const chunkSize = 4_096;
const small = { maxBytes, chunkSizeLog2: 12, padded: false };

async function* stream(whole: Uint8Array, ...lengths: number[]): AsyncGenerator<Uint8Array, void> {
  let at = 0;
  for (const length of lengths) {
    yield whole.subarray(at, at + length);
    at += length;
  }
  yield whole.subarray(at);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(Uint8Array.from(piece));
  return concat(...pieces);
}

async function seal(file: Uint8Array, options: SealOptions = small) {
  const sealed = sealAttachment({ random, subtle }, stream(file), options);
  expect(sealed.secret()).toBeNull();
  const ciphertext = await collect(sealed.ciphertext);
  return { ciphertext, secret: sealed.secret() as AttachmentSecret };
}

function open(source: AsyncIterable<Uint8Array>, secret: AttachmentSecret, limit = maxBytes): Promise<Uint8Array> {
  return collect(openAttachment({ subtle }, source, secret, { maxBytes: limit }));
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return "no error";
}

/** The secret as if the message had meant `ciphertext`: what is left to refuse is refused by the chunks alone. */
function described(secret: AttachmentSecret, ciphertext: Uint8Array): AttachmentSecret {
  const digest = Uint8Array.from(createHash("sha256").update(ciphertext).digest());
  return { ...secret, digest, sealedBytes: ciphertext.length };
}

test("[AT1] a file of any length, in pieces of any length, comes back", async () => {
  const lengths = fc.oneof(
    fc.nat(20_000),
    fc.constantFrom(0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 2 * chunkSize, 5 * chunkSize),
  );
  await fc.assert(
    fc.asyncProperty(
      lengths,
      fc.array(fc.nat(6_000), { maxLength: 6 }),
      fc.array(fc.nat(6_000), { maxLength: 6 }),
      fc.boolean(),
      async (length, cuts, otherCuts, padded) => {
        const file = random(length);
        const sealed = sealAttachment({ random, subtle }, stream(file, ...cuts), { ...small, padded });
        const ciphertext = await collect(sealed.ciphertext);
        const secret = sealed.secret()!;
        expect(secret.lengthBytes).toBe(length);
        expect(secret.sealedBytes).toBe(ciphertext.length);
        expect(ciphertext.length).toBeLessThanOrEqual(maxSealedBytes(length));
        expect(equal(await open(stream(ciphertext, ...otherCuts), secret), file)).toBe(true);
      },
    ),
    { seed: 61_001, numRuns: 120 },
  );
});

test("[AT1] a file that arrives byte by byte comes back", async () => {
  const file = random(5_000);
  const { ciphertext, secret } = await seal(file);
  const ones = Array.from({ length: ciphertext.length - 1 }, () => 1);
  expect(equal(await open(stream(ciphertext, ...ones), secret), file)).toBe(true);
});

test("[AT2] the format is the documented one: another implementation of AES-GCM and SHA-256 reads it", async () => {
  const file = random(chunkSize + 100);
  const { ciphertext, secret } = await seal(file);
  expect([...ciphertext.subarray(0, 2)]).toEqual([1, 12]);
  expect(Uint8Array.from(createHash("sha256").update(ciphertext).digest())).toEqual(secret.digest);
  const chunk = (from: number, to: number, nonce: number[]) => {
    const decipher = createDecipheriv("aes-256-gcm", secret.key, concat(new Uint8Array(7), Uint8Array.from(nonce)));
    decipher.setAAD(ciphertext.subarray(0, 2));
    decipher.setAuthTag(ciphertext.subarray(to - 16, to));
    return concat(decipher.update(ciphertext.subarray(from, to - 16)), decipher.final());
  };
  const end = 2 + chunkSize + 16;
  const read = concat(chunk(2, end, [0, 0, 0, 0, 0]), chunk(end, ciphertext.length, [0, 0, 0, 1, 1]));
  expect(equal(read, file)).toBe(true);
});

test("[AT3] each file has a key of its own", async () => {
  const file = random(100);
  const one = await seal(file);
  const other = await seal(file);
  expect(one.secret.key).not.toEqual(other.secret.key);
  expect(one.ciphertext).not.toEqual(other.ciphertext);
});

test("[AT4] a file that was cut, extended or reordered is refused, whatever the message says of it", async () => {
  const file = random(3 * chunkSize + 10);
  const { ciphertext, secret } = await seal(file);
  const sealedChunk = chunkSize + 16;
  const header = ciphertext.subarray(0, 2);
  const chunks = [0, 1, 2].map((index) => ciphertext.subarray(2 + index * sealedChunk, 2 + (index + 1) * sealedChunk));
  const last = ciphertext.subarray(2 + 3 * sealedChunk);
  const [first, second, third] = chunks as [Uint8Array, Uint8Array, Uint8Array];
  const forged = [
    concat(header, first, second, third),
    concat(header, first, second),
    concat(header, first),
    header,
    ciphertext.subarray(0, 1),
    new Uint8Array(0),
    concat(header, second, first, third, last),
    concat(header, first, third, last),
    concat(header, first, second, second, third, last),
    concat(header, last),
    concat(ciphertext, Uint8Array.of(0)),
    concat(ciphertext, last),
    ciphertext.subarray(0, -1),
    concat(Uint8Array.of(1, 13), ciphertext.subarray(2)),
    concat(Uint8Array.of(2, 12), ciphertext.subarray(2)),
    concat(Uint8Array.of(1, 31), ciphertext.subarray(2)),
  ];
  for (const bytes of forged) {
    expect(await codeOf(open(stream(bytes), secret))).toBe("damaged");
    expect(await codeOf(open(stream(bytes), described(secret, bytes)))).toBe("damaged");
    const shorter = { ...described(secret, bytes), lengthBytes: Math.min(chunkSize, secret.lengthBytes) };
    expect(await codeOf(open(stream(bytes), shorter))).toBe("damaged");
  }
});

test("[AT4] any changed bit is found", async () => {
  const { ciphertext, secret } = await seal(random(chunkSize + 500));
  await fc.assert(
    fc.asyncProperty(fc.nat(ciphertext.length - 1), fc.nat(7), async (at, bit) => {
      const changed = Uint8Array.from(ciphertext);
      changed[at]! ^= 1 << bit;
      expect(await codeOf(open(stream(changed), described(secret, changed)))).toBe("damaged");
    }),
    { seed: 61_002, numRuns: 100 },
  );
});

test("[AT5] the digest binds the file to the message", async () => {
  const { ciphertext, secret } = await seal(random(100));
  const other = { ...secret, digest: random(32) };
  expect(await codeOf(open(stream(ciphertext), other))).toBe("damaged");
});

test("[AT5] the last chunk is given only once the whole file proved to be the right one", async () => {
  const { ciphertext, secret } = await seal(random(100));
  const opening = openAttachment({ subtle }, stream(ciphertext), { ...secret, digest: random(32) }, { maxBytes });
  await expect(opening.next()).rejects.toMatchObject({ code: "damaged" });
});

test("[AT6] a padded file has Padmé's length, and its zeros are checked", async () => {
  const file = random(3_000);
  const { ciphertext, secret } = await seal(file, { maxBytes });
  expect(secret.lengthBytes).toBe(3_000);
  expect(ciphertext.length).toBe(2 + paddedLength(3_000) + 16);
  expect(equal(await open(stream(ciphertext), secret), file)).toBe(true);
  const same = await seal(random(3_010), { maxBytes });
  expect(same.ciphertext.length).toBe(ciphertext.length);
  expect(await codeOf(open(stream(ciphertext), { ...secret, lengthBytes: 2_999 }))).toBe("damaged");
  expect(await codeOf(open(stream(ciphertext), { ...secret, lengthBytes: 2 ** 13 }))).toBe("damaged");
});

test("[AT7] a file beyond the limit is refused on both sides, at once", async () => {
  expect(await codeOf(seal(random(1_001), { maxBytes: 1_000 }))).toBe("too_large");
  const { ciphertext, secret } = await seal(random(2_000));
  let read = 0;
  async function* counted() {
    for await (const piece of stream(ciphertext, 10, 10)) {
      read++;
      yield piece;
    }
  }
  expect(await codeOf(open(counted(), secret, 1_000))).toBe("too_large");
  expect(await codeOf(open(counted(), { ...secret, lengthBytes: 1, sealedBytes: 2 ** 50 }, 1_000))).toBe("too_large");
  expect(read).toBe(0);
  async function* endless() {
    for (;;) yield ciphertext;
  }
  expect(await codeOf(open(endless(), secret))).toBe("damaged");
});

test("[AT7] a file as large as allowed passes, padded or not", async () => {
  for (const padded of [true, false]) {
    const file = random(10_000);
    const { ciphertext, secret } = await seal(file, { ...small, maxBytes: 10_000, padded });
    expect(equal(await open(stream(ciphertext), secret, 10_000), file)).toBe(true);
  }
});

test("[AT8] a description that makes no sense is refused", async () => {
  const { ciphertext, secret } = await seal(random(100));
  for (const wrong of [
    { key: new Uint8Array(16) },
    { digest: new Uint8Array(20) },
    { lengthBytes: -1 },
    { lengthBytes: 1.5 },
    { lengthBytes: Number.NaN },
    { sealedBytes: Number.POSITIVE_INFINITY },
    { sealedBytes: -5 },
  ]) {
    expect(await codeOf(open(stream(ciphertext), { ...secret, ...wrong }))).toBe("damaged");
  }
  expect(() => sealAttachment({ random, subtle }, stream(ciphertext), { maxBytes, chunkSizeLog2: 40 })).toThrow(
    RangeError,
  );
});

test("[AT9] what the source throws comes through, and the source is closed when the reader leaves", async () => {
  const broken = new Error("the network is gone");
  async function* failing(): AsyncGenerator<Uint8Array, void> {
    yield new Uint8Array(10);
    throw broken;
  }
  await expect(collect(sealAttachment({ random, subtle }, failing(), small).ciphertext)).rejects.toBe(broken);
  const { ciphertext, secret } = await seal(random(3 * chunkSize));
  let isClosed = false;
  async function* source(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* stream(ciphertext, chunkSize + 100);
    } finally {
      isClosed = true;
    }
  }
  const opening = openAttachment({ subtle }, source(), secret, { maxBytes });
  await opening.next();
  await opening.return();
  expect(isClosed).toBe(true);
});

test("[AT10] streams of the platform are sources", async () => {
  const file = random(10_000);
  const sealed = sealAttachment({ random, subtle }, new Blob([Uint8Array.from(file)]).stream(), small);
  const ciphertext = await collect(ReadableStream.from(sealed.ciphertext));
  const opened = openAttachment({ subtle }, new Blob([Uint8Array.from(ciphertext)]).stream(), sealed.secret()!, {
    maxBytes,
  });
  expect(equal(await collect(ReadableStream.from(opened)), file)).toBe(true);
});

test("[AT11] any bytes with any description are refused", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, hasHeader) => {
      const ciphertext = hasHeader ? concat(Uint8Array.of(1, 12), bytes) : bytes;
      const secret = { key: random(32), digest: random(32), lengthBytes: 0, sealedBytes: 0 };
      expect(await codeOf(open(stream(ciphertext), described(secret, ciphertext)))).toBe("damaged");
    }),
    { seed: 61_003, numRuns: 300 },
  );
});
