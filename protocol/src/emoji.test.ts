import { expect, test } from "vitest";
import * as v from "valibot";
import { Emoji } from "./entities.ts";

test("[REA5] a reaction is one emoji, however it is put together", () => {
  for (const emoji of ["👍", "❤️", "❤", "👍🏽", "👨‍👩‍👧‍👦", "🏴‍☠️", "🇫🇷", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "#️⃣", "🧑🏿‍❤️‍💋‍🧑🏻", "©️", "🫩"]) {
    expect(v.is(Emoji, emoji), emoji).toBe(true);
  }
});

test("[REA5] words, several emoji, halves of one and what is too long are no reaction", () => {
  const joined = "👩‍".repeat(20);
  for (const text of ["", " ", "ok", "1", "👍👍", "👍 ", "🇫", "‍", "️", "\u{1F3FD}", `${joined}👩`, "<b>", "👍\u0000"]) {
    expect(v.is(Emoji, text), JSON.stringify(text)).toBe(false);
  }
});
