const MINUTE_MS = 60_000;
const UNITS = [
  { unit: "day", ms: 24 * 60 * MINUTE_MS },
  { unit: "hour", ms: 60 * MINUTE_MS },
  { unit: "minute", ms: MINUTE_MS },
] as const;

/** A time gone by in its largest whole unit; undefined under a minute. */
export function agoParts(
  elapsedMs: number,
): { readonly count: number; readonly unit: "day" | "hour" | "minute" } | undefined {
  const found = UNITS.find(({ ms }) => elapsedMs >= ms);
  return found === undefined ? undefined : { count: Math.floor(elapsedMs / found.ms), unit: found.unit };
}
