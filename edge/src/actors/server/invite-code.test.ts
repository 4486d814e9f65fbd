import { InviteCode } from "@lescopains/protocol/entities";
import { seededNumbers } from "@lescopains/protocol/testing/seeded-numbers";
import * as v from "valibot";
import { expect, test } from "vitest";
import { inviteCode } from "./invite-code.ts";

test("[INV1] a code fits the contract, and every character is equally likely", () => {
  // A fixed sequence that uses every byte about as often.
  const numbers = seededNumbers(20_261_106);
  const random = () => Math.floor(numbers() * 256);
  const counts = new Map<string, number>();
  for (let round = 0; round < 10_000; round += 1) {
    const code = inviteCode((bytes) => bytes.map(random));
    expect(v.is(InviteCode, code)).toBe(true);
    for (const character of code) counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  expect(counts.size).toBe(62);
  const [least, most] = [Math.min(...counts.values()), Math.max(...counts.values())];
  expect(most / least).toBeLessThan(1.2);
});

test("[INV1] bytes that would favour some characters are thrown away, however many come", () => {
  const fills: number[] = [255, 250, 248, 0];
  expect(inviteCode((bytes) => bytes.fill(fills.shift() ?? 61))).toBe("0000000000");
});
