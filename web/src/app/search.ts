import type { UserId } from "@lescopains/protocol/ids";

/** Something one can go to. */
export interface Destination {
  readonly id: string;
  readonly name: string;
  /** The place a channel is in; absent for a place itself. */
  readonly within?: string;
  /** Whom a direct conversation of two is with, or who may be written to. */
  readonly personId?: UserId | null;
  readonly kind: "place" | "text" | "voice" | "direct" | "person";
  readonly path: string;
  readonly unread: boolean;
}

/** How well a name answers what was typed; 0: not at all. Accents and case don't matter. */
export function nameScore(name: string, query: string): number {
  return plainScore(plain(name), plain(query.trim()));
}

/** Letters as they are compared: without accents, case or ligatures. */
export function plain(text: string): string {
  return text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase().replaceAll("œ", "oe").replaceAll("æ", "ae");
}

/** How well `name` answers `wanted`, both plain: begins with it, has a word that does, holds it, holds its letters in order; 0: not. */
export function plainScore(name: string, wanted: string): number {
  if (name.startsWith(wanted)) return 4;
  if (name.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(wanted))) return 3;
  if (name.includes(wanted)) return 2;
  let at = 0;
  for (const letter of name) if (letter === wanted[at]) at += 1;
  return at === wanted.length ? 1 : 0;
}

/** What answers `query`, best first, at most `limit`; with nothing typed, what is unread comes first. */
export function search(destinations: readonly Destination[], query: string, limit: number): readonly Destination[] {
  const wanted = plain(query.trim().replace(/^[#@]/, ""));
  if (wanted === "") {
    return destinations.toSorted((one, other) => Number(other.unread) - Number(one.unread)).slice(0, limit);
  }
  return destinations
    .map((destination) => ({ destination, score: plainScore(plain(destination.name), wanted) }))
    .filter((found) => found.score > 0)
    .toSorted((one, other) => other.score - one.score || one.destination.name.length - other.destination.name.length)
    .slice(0, limit)
    .map((found) => found.destination);
}
