const FIRST_MS = 500;
const LONGEST_MS = 15_000;

/**
 * How long to wait before attempt `attempt` (0, 1, 2 …) is made again, in milliseconds: doubles from half a second to 15 s,
 * of which a random half is taken off, so that clients that lost the same server do not return all at once.
 */
export function backoffMs(attempt: number, random: () => number): number {
  const ceilingMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return Math.round(ceilingMs * (0.5 + random() / 2));
}
