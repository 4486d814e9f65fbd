import type { Signal } from "@preact/signals";
import { PasswordField } from "../../ui/field.tsx";
import { passphraseProblem } from "./model.ts";
import { recoveryWords } from "./recovery-words.ts";

interface PassphraseFieldsProps {
  readonly passphrase: Signal<string>;
  readonly again: Signal<string>;
  /** The button was pressed: now what is wrong is said. */
  readonly checked: boolean;
}

/** A new passphrase, typed twice. */
export function PassphraseFields({ passphrase, again, checked }: PassphraseFieldsProps) {
  const words = recoveryWords.value;
  const problem = checked ? passphraseProblem(passphrase.value, again.value) : null;
  return (
    <>
      <PasswordField
        label={words.phraseLabel}
        hint={words.phraseHelp}
        autocomplete="new-password"
        showLabel={words.show}
        hideLabel={words.hide}
        value={passphrase.value}
        onValue={(text) => (passphrase.value = text)}
        error={problem === "short" ? words.phraseShort : undefined}
      />
      <PasswordField
        label={words.phraseAgain}
        autocomplete="new-password"
        showLabel={words.show}
        hideLabel={words.hide}
        value={again.value}
        onValue={(text) => (again.value = text)}
        error={problem === "different" ? words.phraseDifferent : undefined}
      />
    </>
  );
}
