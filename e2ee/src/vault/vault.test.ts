import { argon2id as nobleArgon2id } from "@noble/hashes/argon2.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { concat, utf8 } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { paddedLength } from "../padding.ts";
import { seededRandom } from "../testing/seeded-random.ts";
import {
  type Argon2id,
  decodePassphraseParameters,
  derivePassphraseKeys,
  encodePassphraseParameters,
  newPassphraseParameters,
  openRecoveryKey,
  sealRecoveryKey,
} from "./passphrase.ts";
import { maxRecordBytes, openRecord, sealRecord } from "./record.ts";
import { formatRecoveryKey, generateRecoveryKey, parseRecoveryKey } from "./recovery-key.ts";
import { deriveVaultKeys } from "./vault-keys.ts";

const { subtle } = globalThis.crypto;
const random = seededRandom("vault");
const accountId = Uint8Array.from({ length: 16 }, (_, index) => index);
const fixedKey = Uint8Array.from({ length: 32 }, (_, index) => index);
const written = formatRecoveryKey(fixedKey);

/** Quick, and as sensitive to all that goes in. Real parameters take a second. */
const quick: Argon2id = async (password, { memoryKiB, iterations, parallelism, salt }, length) =>
  nobleArgon2id(password, concat(salt, utf8(`${memoryKiB} ${iterations} ${parallelism}`)), {
    m: 8,
    t: 1,
    p: 1,
    dkLen: length,
  });

/** Any code point, surrogates without a partner included. */
const character = fc.integer({ min: 0, max: 0x10_ffff }).map((point) => String.fromCodePoint(point));

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return "no error";
}

test("[VA1] a recovery key is written as 14 groups of 4, and read back", () => {
  expect(written).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){13}[0-9A-HJKMNP-TV-Z]{4}$/);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
      expect(parseRecoveryKey(formatRecoveryKey(key))).toEqual({ ok: true, key: Uint8Array.from(key) });
    }),
    { seed: 81_001 },
  );
  expect(generateRecoveryKey(random)).toHaveLength(32);
});

test("[VA1] the written form of a known key never changes", () => {
  expect(written).toBe("000G-40R4-0M30-E209-185G-R38E-1W81-24GK-2GAH-C5RR-34D1-P70X-3RFR-AH4V");
});

test("[VA2] case, spaces, dashes, and letters that look like digits don't matter", () => {
  for (const text of [
    written.toLowerCase(),
    written.replaceAll("-", ""),
    `\n  ${written.replaceAll("-", " \u2013 ")}\t`,
    written.replaceAll("-", "\u00a0"),
    written.replaceAll("0", "O").replaceAll("1", "l"),
    written.replaceAll("0", "o").replaceAll("1", "I"),
  ]) {
    expect(parseRecoveryKey(text)).toEqual({ ok: true, key: fixedKey });
  }
});

test("[VA2] a mistake is told: a character, the length, or somewhere", () => {
  expect(parseRecoveryKey(`U${written.slice(1)}`)).toEqual({ ok: false, reason: "character", at: 0 });
  expect(parseRecoveryKey(written.replace("-", "!"))).toEqual({ ok: false, reason: "character", at: 4 });
  expect(parseRecoveryKey("")).toEqual({ ok: false, reason: "length", count: 0 });
  expect(parseRecoveryKey(written.slice(0, -1))).toEqual({ ok: false, reason: "length", count: 55 });
  expect(parseRecoveryKey(`${written}A`)).toEqual({ ok: false, reason: "length", count: 57 });
  const letters = written.replaceAll("-", "");
  for (let at = 0; at < letters.length; at++) {
    const other = letters[at] === "X" ? "Y" : "X";
    expect(parseRecoveryKey(letters.slice(0, at) + other + letters.slice(at + 1)), `at ${at}`).toEqual({
      ok: false,
      reason: "checksum",
    });
  }
  for (let at = 1; at < letters.length; at++) {
    if (letters[at] === letters[at - 1]) continue;
    const swapped = letters.slice(0, at - 1) + letters[at] + letters[at - 1] + letters.slice(at + 1);
    expect(parseRecoveryKey(swapped)).toEqual({ ok: false, reason: "checksum" });
  }
});

test("[VA2] any text is read or refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 120 }), (text) => {
      expect(parseRecoveryKey(text).ok).toBe(false);
    }),
    { seed: 81_002 },
  );
});

test("[VA3] the server's token and the key tell nothing of each other, and differ for each account", async () => {
  const one = await deriveVaultKeys(subtle, fixedKey, accountId);
  const same = await deriveVaultKeys(subtle, fixedKey, accountId);
  const other = await deriveVaultKeys(subtle, fixedKey, accountId.toReversed());
  expect(one.authenticationToken).toEqual(same.authenticationToken);
  expect(one.authenticationToken).not.toEqual(other.authenticationToken);
  const place = { accountId, name: "identity", version: 1n };
  const sealed = await sealRecord(random, one.wrappingKey, place, utf8("secret"));
  expect(await openRecord(same.wrappingKey, place, sealed)).toEqual(utf8("secret"));
  expect(await codeOf(openRecord(other.wrappingKey, place, sealed))).toBe("damaged");
  expect(await codeOf(deriveVaultKeys(subtle, one.authenticationToken.subarray(1), accountId))).toBe("invalid_key");
});

test("[VA4] a record opens in its place alone: account, name and version", async () => {
  const { wrappingKey } = await deriveVaultKeys(subtle, fixedKey, accountId);
  const place = { accountId, name: "history/1", version: 5n };
  const content = random(3_000);
  const sealed = await sealRecord(random, wrappingKey, place, content);
  expect(await openRecord(wrappingKey, place, sealed)).toEqual(content);
  for (const other of [{ name: "history/2" }, { name: "history/" }, { version: 4n }, { accountId: random(16) }]) {
    expect(await codeOf(openRecord(wrappingKey, { ...place, ...other }, sealed))).toBe("damaged");
  }
  for (const wrong of [{ name: "" }, { name: "n".repeat(201) }, { version: 0n }, { version: 2n ** 63n }]) {
    await expect(sealRecord(random, wrappingKey, { ...place, ...wrong }, content)).rejects.toBeInstanceOf(RangeError);
  }
});

test("[VA5] a record's length is padded, and bounded", async () => {
  const { wrappingKey } = await deriveVaultKeys(subtle, fixedKey, accountId);
  const place = { accountId, name: "n", version: 1n };
  expect(await sealRecord(random, wrappingKey, place, new Uint8Array(0))).toHaveLength(1 + 12 + 1_024 + 16);
  expect(await sealRecord(random, wrappingKey, place, random(5_000))).toHaveLength(1 + 12 + paddedLength(5_004) + 16);
  const tooLarge = new Uint8Array(maxRecordBytes + 1);
  expect(await codeOf(sealRecord(random, wrappingKey, place, tooLarge))).toBe("too_large");
  const largest = await sealRecord(random, wrappingKey, place, new Uint8Array(maxRecordBytes));
  expect(await openRecord(wrappingKey, place, largest)).toHaveLength(maxRecordBytes);
  expect(await codeOf(openRecord(wrappingKey, place, concat(largest, new Uint8Array(1))))).toBe("too_large");
});

test("[VA6] any changed bit of a record is found, and any bytes are refused", async () => {
  const { wrappingKey } = await deriveVaultKeys(subtle, fixedKey, accountId);
  const place = { accountId, name: "n", version: 1n };
  const sealed = await sealRecord(random, wrappingKey, place, random(100));
  const changed = fc
    .tuple(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }))
    .map(([at, flip]) => Uint8Array.from(sealed, (byte, index) => (index === at ? byte ^ flip : byte)));
  const cut = fc.nat(sealed.length - 1).map((end) => sealed.subarray(0, end));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 100 }), changed, cut), async (bytes) => {
      expect(await codeOf(openRecord(wrappingKey, place, bytes))).toBe("damaged");
    }),
    { seed: 81_003, numRuns: 300 },
  );
});

test("[VA7] a passphrase opens the recovery key, however it is typed", async () => {
  const parameters = newPassphraseParameters(random);
  const keys = await derivePassphraseKeys(quick, parameters, "  crème brûlée à 7 h ", accountId);
  const envelope = await sealRecoveryKey({ random, subtle }, keys, accountId, fixedKey);
  expect(envelope).toHaveLength(93);
  const stored = decodePassphraseParameters(encodePassphraseParameters(parameters));
  expect(stored).toEqual(parameters);
  const again = await derivePassphraseKeys(quick, stored, "crème brûlée à 7 h".normalize("NFD"), accountId);
  expect(again.authenticationToken).toEqual(keys.authenticationToken);
  expect(await openRecoveryKey({ subtle }, again, accountId, envelope)).toEqual(fixedKey);
});

test("[VA7] another passphrase, salt or account does not", async () => {
  const parameters = newPassphraseParameters(random);
  const keys = await derivePassphraseKeys(quick, parameters, "right", accountId);
  const envelope = await sealRecoveryKey({ random, subtle }, keys, accountId, fixedKey);
  const others = [
    await derivePassphraseKeys(quick, parameters, "wrong", accountId),
    await derivePassphraseKeys(quick, newPassphraseParameters(random), "right", accountId),
    await derivePassphraseKeys(quick, { ...parameters, iterations: 4 }, "right", accountId),
    await derivePassphraseKeys(quick, parameters, "right", random(16)),
  ];
  for (const other of others) {
    expect(other.authenticationToken).not.toEqual(keys.authenticationToken);
    expect(await codeOf(openRecoveryKey({ subtle }, other, accountId, envelope))).toBe("wrong_passphrase");
  }
  expect(await codeOf(openRecoveryKey({ subtle }, keys, random(16), envelope))).toBe("damaged");
  expect(await codeOf(derivePassphraseKeys(quick, parameters, " \n", accountId))).toBe("wrong_passphrase");
  for (let at = 0; at < envelope.length; at++) {
    const changed = Uint8Array.from(envelope);
    changed[at]! ^= 1;
    expect(["damaged", "wrong_passphrase"]).toContain(
      await codeOf(openRecoveryKey({ subtle }, keys, accountId, changed)),
    );
    expect(await codeOf(openRecoveryKey({ subtle }, keys, accountId, envelope.subarray(0, at)))).toBe("damaged");
  }
});

test("[VA8] a server cannot ask for a weaker derivation, nor for an endless one", async () => {
  const parameters = newPassphraseParameters(random);
  for (const wrong of [
    { memoryKiB: 65_535 },
    { memoryKiB: 8 },
    { memoryKiB: 2 ** 20 + 1 },
    { iterations: 2 },
    { iterations: 11 },
    { parallelism: 0 },
    { parallelism: 5 },
    { salt: new Uint8Array(8) },
  ]) {
    const asked = { ...parameters, ...wrong };
    expect(await codeOf(derivePassphraseKeys(quick, asked, "right", accountId))).toBe("invalid_parameters");
  }
  const encoded = encodePassphraseParameters(parameters);
  for (const [at, value] of [
    [2, 0],
    [1, 0xff],
    [8, 2],
    [5, 1],
    [9, 9],
    [0, 2],
  ] as const) {
    const changed = Uint8Array.from(encoded);
    changed[at] = value;
    expect(() => decodePassphraseParameters(changed), `byte ${at}`).toThrow(ProtocolError);
  }
});

test("[VA9] Argon2id's vector of RFC 9106, 5.3, comes out of what tests stand in for the client's library", () => {
  const tag = nobleArgon2id(new Uint8Array(32).fill(1), new Uint8Array(16).fill(2), {
    m: 32,
    t: 3,
    p: 4,
    key: new Uint8Array(8).fill(3),
    personalization: new Uint8Array(12).fill(4),
    dkLen: 32,
  });
  expect(tag).toEqual(hexToBytes("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"));
});
