import fc from "fast-check";
import { expect, test } from "vitest";
import { concat } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { decodeSenderKeyRecord, encodeSenderKeyRecord } from "./record.ts";
import type { SenderKeyRecord, SenderKeyState } from "./sender-key.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

const state: fc.Arbitrary<SenderKeyState> = fc
  .record({
    chainId: uint32,
    iteration: fc.integer({ min: 3_000, max: 2 ** 32 - 1 }),
    chainKey: bytes(32),
    signingKey: bytes(33),
    signingPrivateKey: fc.option(bytes(32)),
    skippedAt: fc.uniqueArray(fc.nat(2_999), { maxLength: 12 }),
    seed: bytes(32),
  })
  .map(({ skippedAt, seed, ...rest }) => ({
    ...rest,
    skipped: skippedAt.toSorted((a, b) => a - b).map((iteration) => ({ iteration, seed })),
  }));

const records: fc.Arbitrary<SenderKeyRecord> = fc.record({
  states: fc.uniqueArray(state, { maxLength: 5, selector: ({ chainId }) => chainId }),
});

test("[SR1] a record that was written is read back", () => {
  fc.assert(
    fc.property(records, (record) => {
      expect(decodeSenderKeyRecord(encodeSenderKeyRecord(record))).toEqual(record);
    }),
    { seed: 31_001 },
  );
});

test("[SR1] a full record takes less than 361 kB", () => {
  const full: SenderKeyRecord = {
    states: Array.from({ length: 5 }, (_, chainId) => ({
      chainId,
      iteration: 25_000,
      chainKey: new Uint8Array(32),
      signingKey: new Uint8Array(33),
      signingPrivateKey: new Uint8Array(32),
      skipped: Array.from({ length: 2_000 }, (_unused, iteration) => ({ iteration, seed: new Uint8Array(32) })),
    })),
  };
  const encoded = encodeSenderKeyRecord(full);
  expect(encoded.length).toBe(2 + 5 * (108 + 72_000));
  expect(decodeSenderKeyRecord(encoded)).toEqual(full);
});

test("[SR2] any bytes are a record in its one encoding, or refused", () => {
  const damaged = fc
    .tuple(records, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(3))
    .map(([record, at, flip, kind]) => {
      const whole = encodeSenderKeyRecord(record);
      if (kind === 0) return whole.subarray(0, at % (whole.length + 1));
      if (kind === 1) return concat(whole, Uint8Array.of(flip));
      const index = at % whole.length;
      return concat(whole.subarray(0, index), Uint8Array.of(whole[index]! ^ flip), whole.subarray(index + 1));
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged), (input) => {
      try {
        expect(encodeSenderKeyRecord(decodeSenderKeyRecord(input))).toEqual(Uint8Array.from(input));
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
        expect((error as ProtocolError).code).toBe("invalid_record");
      }
    }),
    { seed: 31_002, numRuns: 1_000 },
  );
});
