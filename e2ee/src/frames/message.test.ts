import { bytesToHex } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtocolError } from "../errors.ts";
import { type CallMessage, decodeCallMessage, encodeCallMessage } from "./message.ts";

const callId = "00000000-0000-4000-8000-0000000000ca";
const joinId = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const of = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const stay = { callId: fc.uuid(), joinId: fc.uuid() };
const epoch = fc.maxSafeNat();
const anyMessage: fc.Arbitrary<CallMessage> = fc.oneof(
  fc.record({
    kind: fc.constant("offer" as const),
    ...stay,
    epoch,
    step: fc.nat(255),
    secret: bytes32,
    commitment: bytes32,
  }),
  fc.record({ kind: fc.constant("ack" as const), ...stay, of: fc.uuid(), epoch }),
  fc.record({ kind: fc.constant("want" as const), ...stay, of: fc.uuid() }),
);

function codeOf(bytes: Uint8Array): string {
  try {
    decodeCallMessage(bytes);
    return "no error";
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
}

test("[FR11] what is written is read", () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      expect(decodeCallMessage(encodeCallMessage(message))).toEqual(message);
    }),
  );
});

test("[FR11] the layouts are those of the specification", () => {
  const secret = new Uint8Array(32).fill(1);
  const commitment = new Uint8Array(32).fill(2);
  const head = `${callId}${joinId}`.replaceAll("-", "");
  const hex = (message: CallMessage) => bytesToHex(encodeCallMessage(message));
  expect(hex({ kind: "offer", callId, joinId, epoch: 258, step: 3, secret, commitment })).toBe(
    `0101${head}000000000000010203${"01".repeat(32)}${"02".repeat(32)}`,
  );
  expect(hex({ kind: "ack", callId, joinId, of, epoch: 258 })).toBe(
    `0102${head}${of.replaceAll("-", "")}0000000000000102`,
  );
  expect(hex({ kind: "want", callId, joinId, of })).toBe(`0103${head}${of.replaceAll("-", "")}`);
});

test("[FR11] any bytes, whatever is cut off or added: a message in its one encoding, or refused", () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), anyMessage.map(encodeCallMessage)), (bytes) => {
      if (codeOf(bytes) === "no error") expect(encodeCallMessage(decodeCallMessage(bytes))).toEqual(bytes);
      else expect(["invalid_message", "unsupported_version"]).toContain(codeOf(bytes));
    }),
  );
  const whole = encodeCallMessage({ kind: "want", callId, joinId, of });
  for (let length = 0; length < whole.length; length++)
    expect(codeOf(whole.subarray(0, length))).toBe("invalid_message");
  expect(codeOf(Uint8Array.of(...whole, 0))).toBe("invalid_message");
  expect(codeOf(Uint8Array.of(2, ...whole.subarray(1)))).toBe("unsupported_version");
  expect(codeOf(Uint8Array.of(1, 4, ...whole.subarray(2)))).toBe("invalid_message");
  const ack = encodeCallMessage({ kind: "ack", callId, joinId, of, epoch: 0 });
  ack[50] = 0xff;
  expect(codeOf(ack)).toBe("invalid_message");
});
