import { shake128 } from "@noble/hashes/sha3.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProtocolError } from "../errors.ts";
import { decodeSpqr, encodeSpqr } from "./codec.ts";
import { receiveSpqr, sendSpqr, type SpqrState, startSpqr } from "./ratchet.ts";

const source = shake128.create().update(Uint8Array.of(1));
const random = (length: number) => source.xof(length);

/** States of both sides in every phase, with and without skipped keys: one exchange loses a little, the next one much. */
function states(): SpqrState[] {
  return [...exchange(5), ...exchange(2)];
}

/** An exchange in which one message to the initiator in `every` is lost. */
function exchange(every: number): SpqrState[] {
  const authKey = random(32);
  let alice = startSpqr("initiator", authKey);
  let bob = startSpqr("responder", authKey);
  const all = [alice, bob];
  for (let round = 0; round < 200; round++) {
    const toBob = sendSpqr(alice, random);
    alice = toBob.state;
    if (round % 7 !== 3) bob = receiveSpqr(bob, toBob.message).state;
    const toAlice = sendSpqr(bob, random);
    bob = toAlice.state;
    if (round % every !== 1) alice = receiveSpqr(alice, toAlice.message).state;
    all.push(alice, bob);
  }
  return all;
}

test("[SC1] every state comes back as it was, in every phase", () => {
  const phases = new Set<string>();
  for (const state of states()) {
    phases.add(state.braid.phase.name);
    expect(decodeSpqr(encodeSpqr(state))).toEqual(state);
  }
  expect([...phases].toSorted()).toEqual(
    [
      "ct1Acknowledged",
      "ct1Sampled",
      "ct1Received",
      "ct2Sampled",
      "ekReceivedCt1Sampled",
      "ekSentCt1Received",
      "headerReceived",
      "headerSent",
      "keysSampled",
      "keysUnsampled",
      "noHeaderReceived",
    ].toSorted(),
  );
});

test("[SC2] any bytes are a state or invalid_record, and a state that was read can go on", () => {
  const encoded = states().map(encodeSpqr);
  fc.assert(
    fc.property(
      fc.nat(encoded.length - 1),
      fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 3 }),
      fc.oneof(fc.constant(0), fc.integer({ min: -50, max: 50 })),
      (which, changes, extra) => {
        const original = encoded[which];
        const bytes = new Uint8Array(Math.max(0, original!.length + extra));
        bytes.set(original!.subarray(0, bytes.length));
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        try {
          sendSpqr(decodeSpqr(bytes), random);
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
          expect(error.code).toBe("invalid_record");
        }
      },
    ),
    { seed: 2, numRuns: 2_000 },
  );
});

test("[SC3] a cut state is invalid_record wherever it is cut", () => {
  const bytes = encodeSpqr(states().at(-1) as SpqrState);
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeSpqr(bytes.subarray(0, length))).toThrow(expect.objectContaining({ code: "invalid_record" }));
  }
});
