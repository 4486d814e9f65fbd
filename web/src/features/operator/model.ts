/** How long those who are in a call may stay on a node that is taken out of service, in minutes. */
export const DRAIN_MINUTES = ["0", "10", "60", "240"] as const;
export type DrainMinutes = (typeof DRAIN_MINUTES)[number];

/** The link by which somebody makes an account. */
export function registerLink(code: string): string {
  return `${location.origin}/register?invite=${encodeURIComponent(code)}`;
}

/** The link by which somebody sets a new password. The secret stands behind the `#`, which browsers send nowhere. */
export function resetLink(secret: string): string {
  return `${location.origin}/reset#${secret}`;
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** Bytes in the largest unit of which there is at least one, for Intl's `unit` style. */
export function inUnits(bytes: number): { readonly value: number; readonly unit: (typeof UNITS)[number] } {
  let value = bytes;
  let index = 0;
  while (value >= 1_000 && index < UNITS.length - 1) {
    value /= 1_000;
    index += 1;
  }
  return { value, unit: UNITS[index] ?? "byte" };
}
