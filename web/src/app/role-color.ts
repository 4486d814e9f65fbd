/** A role's colour as CSS; roles without one have none to show. */
export function roleColor(color: number | null): string | undefined {
  return color === null ? undefined : `#${color.toString(16).padStart(6, "0")}`;
}
