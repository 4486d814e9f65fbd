import { agoParts } from "./ago.ts";
import { appWords } from "./words.ts";
import { relativeFormat } from "./i18n.ts";

const relative = relativeFormat({ numeric: "auto" });

/** "3 minutes ago", "yesterday", "just now": follows the language when read in a component. */
export function agoText(at: string): string {
  const parts = agoParts(Date.now() - Date.parse(at));
  return parts === undefined ? appWords.value.now : relative.value.format(-parts.count, parts.unit);
}
