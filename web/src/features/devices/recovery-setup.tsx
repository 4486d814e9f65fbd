import { useSignal } from "@preact/signals";
import { KeyRound } from "lucide";
import { useKeys } from "../../app/keys.ts";
import { asKeysRefusal, keysErrorText } from "../../app/keys-errors.ts";
import { useTaskWith } from "../../app/task.ts";
import { Button } from "../../ui/button.tsx";
import { Switch } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { passphraseProblem } from "./model.ts";
import { PassphraseFields } from "./passphrase-fields.tsx";
import "./recovery.css";
import { KeepKey } from "./recovery-key.tsx";
import { recoveryWords } from "./recovery-words.ts";

interface RecoverySetupProps {
  readonly heading: "h1" | "h2";
  /** Not now; absent where there is nowhere to go. */
  readonly onLater?: () => void;
  /** The key was made and kept. */
  readonly onDone: () => void;
  /** The key was made, and is on the screen. */
  readonly onMade: () => void;
}

/** Makes the backup and its key: why, an optional passphrase, the key, a part of it typed back. */
export function RecoverySetup({ heading: Heading, onLater, onDone, onMade }: RecoverySetupProps) {
  const keys = useKeys();
  const words = recoveryWords.value;
  const task = useTaskWith(asKeysRefusal);
  const made = useSignal<string | null>(null);
  const withPhrase = useSignal(false);
  const passphrase = useSignal("");
  const again = useSignal("");
  const checked = useSignal(false);

  if (made.value !== null) return <KeepKey recoveryKey={made.value} heading={Heading} onDone={onDone} />;

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    checked.value = true;
    const wanted = withPhrase.value && passphrase.value !== "";
    if (wanted && passphraseProblem(passphrase.value, again.value) !== null) return;
    await task.run(async () => {
      const answer = await keys.port.ask("vault:create", { passphrase: wanted ? passphrase.value : null });
      made.value = answer.recoveryKey;
      onMade();
    });
  }

  return (
    <form class="form" noValidate onSubmit={(event) => void submit(event)}>
      <Heading tabIndex={-1}>{words.setupTitle}</Heading>
      <p class="recovery-lead">{words.setupLead}</p>
      {task.error.value !== null && <Notice kind="danger">{keysErrorText(task.error.value)}</Notice>}
      <Switch
        label={words.phrase}
        hint={words.phraseHint}
        checked={withPhrase.value}
        onChecked={(on) => (withPhrase.value = on)}
      />
      {withPhrase.value && <PassphraseFields passphrase={passphrase} again={again} checked={checked.value} />}
      <div class="actions actions-start">
        <Button kind="primary" type="submit" icon={KeyRound} busy={task.busy.value}>
          {words.setupAction}
        </Button>
        {onLater !== undefined && (
          <Button kind="quiet" onClick={onLater}>
            {words.later}
          </Button>
        )}
      </div>
    </form>
  );
}
