/**
 * Small choices that this browser keeps between visits (language, theme, text size): one string a key.
 * Storage can be refused or full (private windows, site settings); a choice then lasts as long as the page.
 */
const PREFIX = "lescopains.";

/** What was kept under `key`, or null. */
export function kept(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

/** Keeps `value`, or forgets the key when it is null. */
export function keep(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, value);
  } catch {
    // Refused or full: the choice holds until the page is closed.
  }
}
