import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Plugin } from "vite";

const NAME = /^virtual:emoji\/(en|fr)$/;
/** Newer ones are empty boxes on systems that still get updates: Unicode 15 is of 2022. */
const NEWEST = 15;
/** Skin tones and hair: parts of others. */
const PARTS = 2;

interface Entry {
  readonly emoji: string;
  readonly label: string;
  readonly tags?: readonly string[];
  readonly group?: number;
  readonly version: number;
}

/** `virtual:emoji/fr`: of the Unicode names in a language what the picker shows and searches, a fifth of the whole. */
export function emojiNames(): Plugin {
  const resolve = createRequire(import.meta.url).resolve;
  return {
    name: "emoji-names",
    resolveId: (id) => (NAME.test(id) ? `\0${id}` : undefined),
    load(id) {
      const language = NAME.exec(id.slice(1))?.[1];
      if (language === undefined) return undefined;
      const all = JSON.parse(readFileSync(resolve(`emojibase-data/${language}/data.json`), "utf8")) as readonly Entry[];
      const shown = all
        .filter(({ group, version }) => group !== undefined && group !== PARTS && version <= NEWEST)
        .map(({ emoji, label, tags = [], group }) => [emoji, label, tags.join("|"), group]);
      return `export default JSON.parse(${JSON.stringify(JSON.stringify(shown))});`;
    },
  };
}
