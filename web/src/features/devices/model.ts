/** What the screens of devices and recovery decide, without a DOM. */

/** Characters of a recovery key that are read in one breath. */
const GROUP = 4;
/** A passphrase must stand against guessing without a limit, once somebody has the sealed vault. */
export const PASSPHRASE_MIN = 12;

/** Letters and digits as they are compared: no case, no spaces or dashes, and what looks alike is alike. */
function plain(text: string): string {
  return text
    .toUpperCase()
    .replaceAll(/[^0-9A-Z]/g, "")
    .replaceAll("O", "0")
    .replaceAll(/[IL]/g, "1");
}

/** A recovery key in groups of 4, however it is written. */
export function keyGroups(key: string): readonly string[] {
  return key.replaceAll(/[^0-9A-Za-z]/g, "").match(new RegExp(`.{1,${GROUP}}`, "g")) ?? [];
}

/** The groups that are asked for, to see that the key was kept: one of the first half, one of the second. */
export function askedGroups(count: number, random: () => number): readonly [first: number, second: number] {
  const half = Math.floor(count / 2);
  return [Math.floor(random() * half), half + Math.floor(random() * (count - half))];
}

/** Whether what was typed is those two groups of the key, in their order. */
export function isPartOf(key: string, asked: readonly [number, number], typed: string): boolean {
  const groups = keyGroups(key);
  return plain(typed) === plain(asked.map((index) => groups[index] ?? "").join(""));
}

/** What keeps a passphrase from being taken; null: it is good. An empty one means none is wanted. */
export function passphraseProblem(passphrase: string, again: string): "short" | "different" | null {
  if (passphrase === "") return null;
  if (passphrase.length < PASSPHRASE_MIN) return "short";
  return passphrase === again ? null : "different";
}
