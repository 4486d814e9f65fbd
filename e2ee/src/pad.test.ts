import * as fc from "fast-check";
import { expect, test } from "vitest";
import { openNote, sealNote } from "./pad.ts";
import { seededRandom } from "./testing/seeded-random.ts";

const random = seededRandom("pad");
const key = random(32);

test("[NT1] a note is read again, in its place and with its key alone", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), fc.string(), (text, place) => {
      const sealed = sealNote(random, key, place, text);
      expect(openNote(key, place, sealed)).toBe(text);
      expect(() => openNote(key, `${place}x`, sealed)).toThrow(expect.objectContaining({ code: "damaged" }));
      expect(() => openNote(random(32), place, sealed)).toThrow(expect.objectContaining({ code: "damaged" }));
    }),
  );
});

test("[NT2] no byte of it can be changed, cut or added, and two notes of one text differ", () => {
  const sealed = sealNote(random, key, "here", "what was typed");
  expect(sealNote(random, key, "here", "what was typed")).not.toEqual(sealed);
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Uint8Array.from(sealed);
    changed[at]! ^= 0x40;
    expect(() => openNote(key, "here", changed)).toThrow(expect.objectContaining({ code: "damaged" }));
    expect(() => openNote(key, "here", sealed.subarray(0, at))).toThrow(expect.objectContaining({ code: "damaged" }));
  }
  expect(() => openNote(key, "here", Uint8Array.of(...sealed, 0))).toThrow(
    expect.objectContaining({ code: "damaged" }),
  );
});
