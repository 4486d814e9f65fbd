import { signal } from "@preact/signals";
import { keep, kept } from "./kept.ts";

/** How the client looks here. `public/look.js` applies the kept choice before the first paint; this file changes it. */
export const THEMES = ["system", "light", "dark", "contrast"] as const;
export type Theme = (typeof THEMES)[number];

/** Percent of the browser's own text size. */
export const TEXT_SIZES = { min: 80, max: 150, step: 10, usual: 100 } as const;

const SYSTEM_CONTRAST = "(prefers-contrast: more)";

export const theme = signal<Theme>(THEMES.find((known) => known === kept("theme")) ?? "system");
export const textSize = signal(sizeOf(kept("text-size")));

function sizeOf(text: string | null): number {
  const size = Number(text ?? TEXT_SIZES.usual);
  return size >= TEXT_SIZES.min && size <= TEXT_SIZES.max ? size : TEXT_SIZES.usual;
}

function apply(): void {
  const root = document.documentElement;
  if (theme.peek() === "light" || theme.peek() === "dark") root.dataset["theme"] = theme.peek();
  else delete root.dataset["theme"];
  const more = theme.peek() === "contrast" || (theme.peek() === "system" && matchMedia(SYSTEM_CONTRAST).matches);
  if (more) root.dataset["contrast"] = "more";
  else delete root.dataset["contrast"];
  root.style.setProperty("--text-scale", String(textSize.peek() / 100));
}

export function setTheme(next: Theme): void {
  theme.value = next;
  keep("theme", next === "system" ? null : next);
  apply();
}

export function setTextSize(percent: number): void {
  textSize.value = percent;
  keep("text-size", percent === TEXT_SIZES.usual ? null : String(percent));
  apply();
}

/** Follows the system's wish for contrast while no theme is chosen. Called once, at start. */
export function followSystemLook(): void {
  matchMedia(SYSTEM_CONTRAST).addEventListener("change", apply);
}
