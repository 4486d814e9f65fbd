import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { search, writings } from "./kit/search.ts";

const WORD = "canari-7f3a";

test("[PP1] the search finds a word however it is written, wherever it begins, and nothing where it is not", () => {
  const [before, after] = [randomBytes(1_000_003), randomBytes(999)];
  expect(search(Buffer.concat([before, after]), [WORD])).toEqual([]);
  for (const word of [WORD, "🧑🏽‍🤝‍🧑🏻"]) {
    for (const [how, written] of writings(word)) {
      expect(search(Buffer.concat([before, written, after]), [word])).toContain(`${word} as ${how}`);
    }
  }
  for (const lead of ["", "x", "xx", "xxx", "é"]) {
    for (const encoding of ["base64", "base64url", "hex", "utf8"] as const) {
      const text = Buffer.from(`${lead}${WORD}?>~`).toString(encoding);
      expect(search(Buffer.from(text), [WORD]), `${lead} ${encoding}`).not.toEqual([]);
    }
  }
});
