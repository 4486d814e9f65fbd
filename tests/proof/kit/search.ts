/** Looks for words in bytes, however they may be written there. */

/** Every way in which a word stands in what programs write. A base64 text has three, by where the word begins. */
export function writings(word: string): ReadonlyMap<string, Buffer> {
  const bytes = Buffer.from(word);
  const hex = bytes.toString("hex");
  const found = new Map<string, Buffer>([
    ["utf-8", bytes],
    ["utf-16le", Buffer.from(word, "utf16le")],
    ["utf-16be", Buffer.from(word, "utf16le").swap16()],
    ["hex", Buffer.from(hex)],
    ["HEX", Buffer.from(hex.toUpperCase())],
    ["json", Buffer.from(Array.from({ length: word.length }, (_, at) => escaped(word.charCodeAt(at))).join(""))],
  ]);
  for (const before of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replaceAll("=", "");
    // The first and the last character may hold bits of what stands beside the word.
    const from = Math.ceil((before * 8) / 6);
    const to = Math.floor(((before + bytes.length) * 8) / 6);
    const own = text.slice(from, to);
    found.set(`base64+${before}`, Buffer.from(own));
    found.set(`base64url+${before}`, Buffer.from(own.replaceAll("+", "-").replaceAll("/", "_")));
  }
  return found;
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}

/** Which of `words` stand in `bytes`, and how they are written: "word as base64+1". */
export function search(bytes: Buffer, words: readonly string[]): string[] {
  return words.flatMap((word) =>
    [...writings(word)].filter(([, written]) => bytes.includes(written)).map(([how]) => `${word} as ${how}`),
  );
}
