/** Emoji to choose from: their names, the search among them, the ones used last. Without a DOM. */
import { Emoji } from "@lescopains/protocol/entities";
import { computed, signal } from "@preact/signals";
import * as v from "valibot";
import type { Language } from "../../app/i18n.ts";
import { keep, kept } from "../../app/kept.ts";
import { plain, plainScore } from "../../app/search.ts";

export interface NamedEmoji {
  readonly emoji: string;
  readonly name: string;
  /** Its name and further words, as they are compared. */
  readonly words: readonly string[];
  readonly group: number;
}

const flights = new Map<Language, Promise<readonly NamedEmoji[]>>();

/** Every emoji in Unicode's order, named in a language; loaded when first wanted. */
export async function emojiIn(language: Language): Promise<readonly NamedEmoji[]> {
  const flight = flights.get(language) ?? load(language);
  flights.set(language, flight);
  try {
    return await flight;
  } catch (error) {
    flights.delete(language);
    throw error;
  }
}

async function load(language: Language): Promise<readonly NamedEmoji[]> {
  const names = await (language === "fr" ? import("virtual:emoji/fr") : import("virtual:emoji/en"));
  return names.default.map(([emoji, name, words, group]) => ({
    emoji,
    name,
    words: [name, ...words.split("|")].map(plain),
    group,
  }));
}

/** Fewer than this is letters that happen to be in there. */
const LEAST_SCORE = 2;
const FOUND_MOST = 96;

/** What answers `query`, best first: the name counts more than the other words, a short one more than a long one. The emoji itself finds itself. */
export function searchEmoji(all: readonly NamedEmoji[], query: string): readonly NamedEmoji[] {
  const wanted = plain(query.trim());
  return all
    .map((one) => ({ one, score: one.emoji === query.trim() ? Number.POSITIVE_INFINITY : scoreOf(one, wanted) }))
    .filter(({ score }) => score >= LEAST_SCORE)
    .toSorted((a, b) => b.score - a.score || a.one.name.length - b.one.name.length)
    .slice(0, FOUND_MOST)
    .map(({ one }) => one);
}

function scoreOf({ words: [name = "", ...others] }: NamedEmoji, wanted: string): number {
  return Math.max(plainScore(name, wanted) + 0.5, ...others.map((word) => plainScore(word, wanted)));
}

/** Where an arrow leads from the emoji at `index`, drawn in `sections` of so many, in rows of `columns`; undefined: no arrow. */
export function movedIndex(
  sections: readonly number[],
  columns: number,
  index: number,
  key: string,
): number | undefined {
  const total = sections.reduce((sum, length) => sum + length, 0);
  if (key === "ArrowRight") return Math.min(index + 1, total - 1);
  if (key === "ArrowLeft") return Math.max(index - 1, 0);
  if (key !== "ArrowDown" && key !== "ArrowUp") return undefined;
  const rows: { start: number; length: number }[] = [];
  let start = 0;
  for (const section of sections) {
    for (let done = 0; done < section; done += columns) {
      const length = Math.min(columns, section - done);
      rows.push({ start, length });
      start += length;
    }
  }
  const at = rows.findLastIndex((row) => row.start <= index);
  const [from, to] = [rows[at], rows[at + (key === "ArrowDown" ? 1 : -1)]];
  if (from === undefined || to === undefined) return index;
  return to.start + Math.min(index - from.start, to.length - 1);
}

const RECENT_MOST = 24;
const AT_FIRST = ["👍", "❤️", "😂", "🎉", "😮", "😢"];
/** As many as stand at hand in a message's menu. */
const QUICK = 6;

const used = signal<readonly string[]>(keptEmoji());

function keptEmoji(): string[] {
  return (kept("emoji") ?? "").split(" ").filter((emoji) => v.is(Emoji, emoji));
}

function withFirst(list: readonly string[], emoji: string): string[] {
  return [emoji, ...list.filter((one) => one !== emoji)].slice(0, RECENT_MOST);
}

/** Used last first; at the beginning those that everyone uses. */
export const recentEmoji = computed<readonly string[]>(() => [...new Set([...used.value, ...AT_FIRST])]);
export const quickEmoji = computed<readonly string[]>(() => recentEmoji.value.slice(0, QUICK));

/** Remembers what was used: on this machine too, unless it was said in a direct conversation, of which nothing is written down unsealed. */
export function noteEmoji(emoji: string, direct: boolean): void {
  used.value = withFirst(used.peek(), emoji);
  if (!direct) keep("emoji", withFirst(keptEmoji(), emoji).join(" "));
}
