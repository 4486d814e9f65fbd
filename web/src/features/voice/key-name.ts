import { voiceWords } from "./words.ts";

/** Keys whose place is best told by what they do. */
const NAMED: Readonly<Record<string, "keySpace" | "keyControl" | "keyAlt" | "keyShift" | "keyBackquote">> = {
  Space: "keySpace",
  ControlLeft: "keyControl",
  ControlRight: "keyControl",
  AltLeft: "keyAlt",
  AltRight: "keyAlt",
  ShiftLeft: "keyShift",
  ShiftRight: "keyShift",
  Backquote: "keyBackquote",
};

/** How a key is called: "T", "F8", "the key left of 1". */
export function keyName(code: string): string {
  const named = NAMED[code];
  return named === undefined ? code.replace(/^(Key|Digit|Numpad)/, "") : voiceWords.value[named];
}
