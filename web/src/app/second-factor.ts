/**
 * A second factor as people type it, as the contract wants it: six digits with or without spaces, or a recovery code in
 * either case, with or without its dash. Undefined when it is neither.
 */
export function secondFactor(typed: string): string | undefined {
  const bare = typed.replaceAll(/[\s-]/g, "").toLowerCase();
  if (/^[0-9]{6}$/.test(bare)) return bare;
  if (/^[a-z0-9]{10}$/.test(bare)) return `${bare.slice(0, 5)}-${bare.slice(5)}`;
  return undefined;
}
