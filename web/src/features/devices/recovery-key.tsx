import { useSignal } from "@preact/signals";
import { Copy, Download, Printer } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { useLive } from "../../app/client-context.ts";
import { copyText } from "../../app/copy.ts";
import { downloadText } from "../../app/download.ts";
import { dateFormat } from "../../app/i18n.ts";
import { useKeys } from "../../app/keys.ts";
import { asKeysRefusal, keysErrorText } from "../../app/keys-errors.ts";
import { useTaskWith } from "../../app/task.ts";
import { Button } from "../../ui/button.tsx";
import { TextField } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { askedGroups, isPartOf, keyGroups } from "./model.ts";
import "./recovery.css";
import { recoveryWords } from "./recovery-words.ts";

const day = dateFormat({ dateStyle: "long" });

interface KeySheetProps {
  readonly recoveryKey: string;
}

/** The key in groups, as it is read, copied and printed. */
export function KeySheet({ recoveryKey }: KeySheetProps) {
  const self = useLive().self.value;
  const words = recoveryWords.value;
  const groups = keyGroups(recoveryKey);
  const heading = words.fileText({ name: self.username, date: day.value.format(new Date()) });
  return (
    <>
      <div class="key-sheet">
        <p class="key-sheet-title">{heading}</p>
        <ol class="key-groups" aria-label={words.key}>
          {groups.map((group, index) => (
            <li key={index} data-number={index + 1}>
              <code>{group}</code>
            </li>
          ))}
        </ol>
      </div>
      <div class="actions actions-start">
        <Button icon={Copy} onClick={() => void copyText(groups.join(" "))}>
          {words.copy}
        </Button>
        <Button
          icon={Download}
          onClick={() => downloadText(`${words.file}.txt`, `${heading}\n\n${groups.join(" ")}\n`)}
        >
          {words.download}
        </Button>
        <Button icon={Printer} onClick={() => print()}>
          {words.print}
        </Button>
      </div>
    </>
  );
}

interface KeepKeyProps {
  readonly recoveryKey: string;
  readonly heading: "h1" | "h2";
  readonly onDone: () => void;
}

/** Shows the key, then asks for a part of it: what was not kept is found out now, and not when it is needed. */
export function KeepKey({ recoveryKey, heading: Heading, onDone }: KeepKeyProps) {
  const keys = useKeys();
  const words = recoveryWords.value;
  const task = useTaskWith(asKeysRefusal);
  const checking = useSignal(false);
  const typed = useSignal("");
  const wrong = useSignal(false);
  const asked = useSignal(askedGroups(keyGroups(recoveryKey).length, Math.random));
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), [checking.value]);

  if (!checking.value) {
    return (
      <>
        <Heading ref={title} tabIndex={-1}>
          {words.keyTitle}
        </Heading>
        <Notice kind="caution">{words.keyHelp}</Notice>
        <KeySheet recoveryKey={recoveryKey} />
        <div class="actions actions-start">
          <Button kind="primary" onClick={() => (checking.value = true)}>
            {words.kept}
          </Button>
        </div>
      </>
    );
  }

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    wrong.value = !isPartOf(recoveryKey, asked.value, typed.value);
    if (wrong.value) return;
    await task.run(async () => {
      await keys.port.ask("vault:confirm", { text: recoveryKey });
      onDone();
    });
  }
  const [first, second] = asked.value;
  return (
    <form class="form" noValidate onSubmit={(event) => void submit(event)}>
      <Heading ref={title} tabIndex={-1}>
        {words.confirmTitle}
      </Heading>
      <p>{words.confirmHelp({ first: first + 1, second: second + 1 })}</p>
      {task.error.value !== null && <Notice kind="danger">{keysErrorText(task.error.value)}</Notice>}
      <TextField
        label={words.confirmLabel}
        placeholder="•••• ••••"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        value={typed.value}
        onValue={(text) => {
          typed.value = text;
          wrong.value = false;
        }}
        error={wrong.value ? words.confirmWrong : undefined}
      />
      <div class="actions actions-start">
        <Button kind="primary" type="submit" busy={task.busy.value} disabled={typed.value.trim() === ""}>
          {words.confirm}
        </Button>
        <Button kind="quiet" onClick={() => (checking.value = false)}>
          {words.backToKey}
        </Button>
      </div>
    </form>
  );
}
