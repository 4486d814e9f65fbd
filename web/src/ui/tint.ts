const TINTS = 9;

/** The colour of a person or a place, as a CSS value: the same id has the same colour everywhere (FNV-1a). */
export function tintOf(id: string): string {
  let hash = 0x81_1c_9d_c5;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01_00_01_93);
  return `var(--avatar-${(hash >>> 0) % TINTS})`;
}

const segments = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function firstOf(word: string): string {
  return [...segments.segment(word)][0]?.segment ?? "";
}

/** One or two letters that stand for a name: of its first two words, or its first letter. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(word));
  if (words.length === 0) return firstOf(name.trim()) || "?";
  return words.slice(0, 2).map(firstOf).join("").toLocaleUpperCase();
}
