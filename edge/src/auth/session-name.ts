import { LIMITS } from "@lescopains/protocol/limits";

/** First match wins: browsers name the ones they descend from too (Edge says Chrome, Chrome says Safari). */
const BROWSERS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\bEdgA?\/|\bEdgiOS\//, "Edge"],
  [/\bOPR\/|\bOPT\//, "Opera"],
  [/\bVivaldi\//, "Vivaldi"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\bCriOS\/|\bChrome\/|\bChromium\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];

const SYSTEMS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];

function first(table: typeof BROWSERS, userAgent: string): string | undefined {
  return table.find(([pattern]) => pattern.test(userAgent))?.[1];
}

/**
 * A short name by which a person knows one sign-in from another: "Firefox on Linux". Programs that are no browser keep the first word of
 * their `User-Agent` ("curl"). Versions and models are left out: they fingerprint and go stale.
 */
export function sessionName(userAgent: string | undefined): string {
  if (userAgent === undefined) return "Unknown";
  const browser = first(BROWSERS, userAgent);
  const system = first(SYSTEMS, userAgent);
  if (browser !== undefined) return system === undefined ? browser : `${browser} on ${system}`;
  const program = /^[\x21-\x2e\x30-\x7e]+/.exec(userAgent)?.[0].slice(0, LIMITS.sessionNameMax);
  return program === undefined || program === "Mozilla" ? (system ?? "Unknown") : program;
}
