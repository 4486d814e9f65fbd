import { useSignal } from "@preact/signals";
import { useKeys } from "../../app/keys.ts";
import { asKeysRefusal, keysErrorText } from "../../app/keys-errors.ts";
import { useTaskWith } from "../../app/task.ts";
import { Button } from "../../ui/button.tsx";
import { PasswordField } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { KeyField } from "./key-field.tsx";
import { RestoreProgress } from "./restore-progress.tsx";
import { deviceWords } from "./words.ts";

interface RestoreFormProps {
  /** The backup opens with a passphrase, too. */
  readonly passphrase: boolean;
  readonly action: string;
  readonly onDone: (messages: number) => void;
}

/** Opens the backup with what the person kept or remembers. */
export function RestoreForm({ passphrase, action, onDone }: RestoreFormProps) {
  const keys = useKeys();
  const words = deviceWords.value;
  const task = useTaskWith(asKeysRefusal);
  const way = useSignal<"key" | "phrase">("key");
  const text = useSignal("");
  const checked = useSignal(false);
  const byKey = way.value === "key";
  const error = task.error.value;
  const phraseWrong = error?.code === "wrong_passphrase";
  const problem = error?.code === "wrong_key" ? (error.problem ?? ({ kind: "other" } as const)) : null;

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    checked.value = true;
    if (text.value.trim() === "") return;
    await task.run(async () => {
      const question = byKey ? { recoveryKey: text.value } : { passphrase: text.value };
      const { messages } = await keys.port.ask("vault:restore", question);
      onDone(messages);
    });
  }

  function type(next: string): void {
    text.value = next;
    checked.value = false;
    task.clear();
  }

  return (
    <form class="form" noValidate onSubmit={(event) => void submit(event)}>
      {error !== null && problem === null && !phraseWrong && <Notice kind="danger">{keysErrorText(error)}</Notice>}
      {byKey ? (
        <KeyField value={text.value} onValue={type} problem={problem} checked={checked.value} />
      ) : (
        <PasswordField
          label={words.phraseLabel}
          autocomplete="off"
          showLabel={words.showPassword}
          hideLabel={words.hidePassword}
          data-autofocus
          value={text.value}
          onValue={type}
          error={phraseWrong ? keysErrorText(error) : undefined}
        />
      )}
      {task.busy.value && <RestoreProgress label={words.restoring} />}
      <div class="actions actions-start">
        <Button kind="primary" type="submit" busy={task.busy.value} disabled={text.value.trim() === ""}>
          {action}
        </Button>
        {passphrase && !task.busy.value && (
          <Button
            kind="quiet"
            onClick={() => {
              way.value = byKey ? "phrase" : "key";
              type("");
            }}
          >
            {byKey ? words.usePhrase : words.useKey}
          </Button>
        )}
      </div>
    </form>
  );
}
