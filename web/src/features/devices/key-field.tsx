import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useKeys } from "../../app/keys.ts";
import type { KeyProblem } from "../../keys/port.ts";
import { TextField } from "../../ui/field.tsx";
import { deviceWords } from "./words.ts";

/** What is wrong with a typed recovery key, and where. */
function problemText(problem: KeyProblem): string {
  const words = deviceWords.value;
  switch (problem.kind) {
    case "character":
      return words.keyCharacter({ at: problem.at + 1 });
    case "length":
      return words.keyLength(problem.count);
    case "checksum":
      return words.keyChecksum;
    case "other":
      return words.keyOther;
    default:
      return problem satisfies never;
  }
}

interface KeyFieldProps {
  readonly value: string;
  readonly onValue: (text: string) => void;
  /** Found when it was used. */
  readonly problem: KeyProblem | null;
  /** The person has pressed the button: then an unfinished key is told, too. */
  readonly checked: boolean;
}

/** A recovery key as it is typed or pasted. A character that no key has is told at once, the rest when it is used. */
export function KeyField({ value, onValue, problem, checked }: KeyFieldProps) {
  const keys = useKeys();
  const words = deviceWords.value;
  const found = useSignal<KeyProblem | null>(null);
  useEffect(() => {
    let current = true;
    if (value.trim() === "") {
      found.value = null;
      return undefined;
    }
    keys.port.ask("vault:check", { text: value }).then(
      (answer) => {
        if (current) found.value = answer.problem;
      },
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [keys, value]);
  const early = found.value !== null && (checked || found.value.kind === "character") ? found.value : null;
  const shown = problem ?? early;
  return (
    <TextField
      label={words.keyLabel}
      hint={words.keyHint}
      autocomplete="off"
      autocapitalize="none"
      spellcheck={false}
      data-autofocus
      value={value}
      onValue={onValue}
      error={shown === null ? undefined : problemText(shown)}
    />
  );
}
