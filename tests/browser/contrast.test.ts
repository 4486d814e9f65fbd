import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const css = readFileSync(new URL("../../web/src/ui/tokens.css", import.meta.url), "utf8");

type Pair = readonly [light: string, dark: string];

/** The colour roles that the rule with this selector sets. */
function roles(selector: string): Map<string, Pair> {
  const start = css.indexOf(`\n${selector} {`);
  const rule = css.slice(start, css.indexOf("\n}", start));
  const found = new Map<string, Pair>();
  for (const [, name = "", light = "", dark = ""] of rule.matchAll(
    /--([\w-]+): light-dark\((#[\da-f]{6}), (#[\da-f]{6})\);/g,
  )) {
    found.set(name, [light, dark]);
  }
  for (const [, name = "", color = ""] of rule.matchAll(/--([\w-]+): (#[\da-f]{6});/g)) found.set(name, [color, color]);
  return found;
}

/** Relative luminance, WCAG 2.2. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const PLACES = ["sunken", "base", "surface", "raised"] as const;
const everywhere = [...PLACES, "hover", "selected"] as const;

/** Which texts may stand on which places. */
const TEXT_ON: readonly (readonly [text: string, places: readonly string[]])[] = [
  ["text", [...everywhere, "positive-soft", "caution-soft", "danger-soft"]],
  ["text-muted", everywhere],
  ["accent-text", everywhere],
  ["positive-text", [...PLACES, "positive-soft"]],
  ["caution-text", [...PLACES, "caution-soft"]],
  ["danger-text", [...PLACES, "hover", "danger-soft"]],
  ["on-accent", ["accent", "accent-hover"]],
  ["on-danger", ["danger", "danger-hover"]],
];
const avatars = Array.from({ length: 9 }, (_, index) => `avatar-${index}`);

/** What is seen without being read: marks, edges of fields, the focus ring. */
const MARKS: readonly string[] = ["line-strong", "positive", "focus"];

const normal = roles(":root");
const more = new Map([...normal, ...roles('[data-contrast="more"]')]);

function worst(set: Map<string, Pair>, front: string, back: string): number {
  const [fronts, backs] = [set.get(front), set.get(back)];
  if (fronts === undefined || backs === undefined) throw new Error(`no role ${front} or ${back}`);
  return Math.min(contrast(fronts[0], backs[0]), contrast(fronts[1], backs[1]));
}

describe.each([
  { name: "light and dark", set: normal, text: 4.5 },
  { name: "high contrast", set: more, text: 7 },
])("$name", ({ set, text }) => {
  test.each(TEXT_ON)(`%s stands out on every place it is used`, (front, places) => {
    for (const place of places) expect(worst(set, front, place), `${front} on ${place}`).toBeGreaterThanOrEqual(text);
  });

  test("initials can be read on every avatar colour", () => {
    for (const avatar of avatars) expect(worst(set, "on-avatar", avatar), avatar).toBeGreaterThanOrEqual(7);
  });

  test("marks, edges of fields and the focus ring are at least 3:1", () => {
    for (const mark of MARKS) {
      for (const place of PLACES) {
        expect(worst(set, mark, place), `${mark} on ${place}`).toBeGreaterThanOrEqual(3);
      }
    }
  });
});
