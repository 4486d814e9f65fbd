import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtocolError } from "../errors.ts";
import { bytes, decodeProtobuf, encodeProtobuf, list, uint32, uint64 } from "./protobuf.ts";

const shape = { count: uint32(1), at: uint64(2), body: bytes(3), parts: list(16, 3) };

function decode(...input: number[]) {
  return decodeProtobuf(shape, Uint8Array.from(input));
}

const values = fc.record(
  {
    count: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    at: fc.maxSafeNat(),
    body: fc.uint8Array(),
    parts: fc.array(fc.uint8Array(), { maxLength: 3 }),
  },
  { requiredKeys: ["parts"] },
);

test("[PB1] what was written is read, a zero and an empty string included", () => {
  fc.assert(
    fc.property(values, (message) => {
      expect(decodeProtobuf(shape, encodeProtobuf(shape, message))).toEqual(message);
    }),
  );
  expect(encodeProtobuf(shape, { count: 0, parts: [] })).toEqual(Uint8Array.of(0x08, 0x00));
});

test("[PB2] the bytes are those of the format's own example", () => {
  // "A simple message": field 1 = 150 is 08 96 01; a string "testing" of field 3.
  expect(encodeProtobuf(shape, { count: 150, parts: [] })).toEqual(Uint8Array.of(0x08, 0x96, 0x01));
  expect(decode(0x1a, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67).body).toEqual(
    new TextEncoder().encode("testing"),
  );
});

test("[PB3] unknown fields of every wire type are skipped", () => {
  expect(decode(0x20, 0x05, 0x2a, 1, 9, 0x31, 0, 0, 0, 0, 0, 0, 0, 0, 0x3d, 0, 0, 0, 0, 0x08, 7)).toEqual({
    count: 7,
    parts: [],
  });
});

test("[PB4] the last of two values counts, a list keeps them all", () => {
  expect(decode(0x08, 1, 0x08, 2).count).toBe(2);
  expect(decode(0x82, 1, 1, 5, 0x82, 1, 1, 6).parts).toEqual([Uint8Array.of(5), Uint8Array.of(6)]);
});

test.each([
  ["a cut varint", [0x08, 0x80]],
  ["a varint of eleven bytes", [0x20, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
  ["a number above 32 bits", [0x08, 0x80, 0x80, 0x80, 0x80, 0x10]],
  ["a number above 2^53", [0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
  ["a length beyond the end", [0x1a, 2, 0]],
  ["a length far beyond the end", [0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ["a number where bytes are due", [0x18, 1]],
  ["bytes where a number is due", [0x0a, 1, 0]],
  ["a group", [0x23, 0x24]],
  ["field number 0", [0x00, 0x00]],
  ["wire type 7", [0x27]],
  ["more entries than a list may have", [0x82, 1, 0, 0x82, 1, 0, 0x82, 1, 0, 0x82, 1, 0]],
])("[PB5] %s is refused", (_, input) => {
  expect(() => decode(...input)).toThrow(ProtocolError);
});

test("[PB6] any bytes give a message or a typed error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (input) => {
      try {
        decodeProtobuf(shape, input);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
    { numRuns: 2_000 },
  );
});
