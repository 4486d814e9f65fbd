import { expect, test } from "vitest";
import { plain } from "../../app/search.ts";
import { movedIndex, type NamedEmoji, noteEmoji, quickEmoji, recentEmoji, searchEmoji } from "./emoji.ts";

function named(emoji: string, name: string, ...words: string[]): NamedEmoji {
  return { emoji, name, words: [name, ...words].map(plain), group: 0 };
}

const ALL = [
  named("😀", "visage rieur", "content"),
  named("❤️", "cœur rouge", "amour"),
  named("🎂", "gâteau d’anniversaire", "fête"),
  named("🎉", "cotillons", "fête", "anniversaire"),
];

test("[EM1] an emoji is found by its name before its other words, without accents, and by itself", () => {
  const found = (query: string) => searchEmoji(ALL, query).map(({ emoji }) => emoji);
  expect(found("gateau")).toEqual(["🎂"]);
  expect(found("FETE")).toEqual(["🎉", "🎂"]);
  expect(found("anniversaire")).toEqual(["🎉", "🎂"]);
  expect(found("🎉")).toEqual(["🎉"]);
  expect(found("xyz")).toEqual([]);
});

test("[EM2] arrows move by rows and over the ends of sections, and never out", () => {
  // Sections of 3 and 5 in rows of 4:  0 1 2 / 3 4 5 6 / 7
  const moved = (index: number, key: string) => movedIndex([3, 5], 4, index, key);
  expect(moved(0, "ArrowRight")).toBe(1);
  expect(moved(0, "ArrowLeft")).toBe(0);
  expect(moved(7, "ArrowRight")).toBe(7);
  expect(moved(2, "ArrowDown")).toBe(5);
  expect(moved(6, "ArrowDown")).toBe(7);
  expect(moved(7, "ArrowDown")).toBe(7);
  expect(moved(6, "ArrowUp")).toBe(2);
  expect(moved(1, "ArrowUp")).toBe(1);
  expect(moved(1, "a")).toBeUndefined();
});

test("[EM3] what was used last comes first, and what was said in a direct conversation is not written down", () => {
  const stored = new Map<string, string>();
  Object.assign(globalThis, {
    localStorage: {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => stored.set(key, value),
    },
  });
  expect(quickEmoji.value).toEqual(["👍", "❤️", "😂", "🎉", "😮", "😢"]);
  noteEmoji("🦊", false);
  noteEmoji("🐙", true);
  noteEmoji("👍", false);
  expect(recentEmoji.value.slice(0, 4)).toEqual(["👍", "🐙", "🦊", "❤️"]);
  expect([...stored.values()]).toEqual(["👍 🦊"]);
});
