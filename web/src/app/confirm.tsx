import type { ComponentChildren } from "preact";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Notice } from "../ui/notice.tsx";
import { asKeysRefusal, keysErrorText } from "./keys-errors.ts";
import { useTaskWith } from "./task.ts";
import { appWords } from "./words.ts";

interface ConfirmProps {
  readonly title: string;
  /** The button that does it, named after what it does. */
  readonly action: string;
  /** False while something is still to be filled in. */
  readonly ready?: boolean;
  readonly children: ComponentChildren;
  /** A refusal stays in the dialog, which closes when all went well. */
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

/** Asks before something is taken away. Cancel is first in line, so that Enter by habit harms nothing. */
export function Confirm({ title, action, ready = true, children, onConfirm, onClose }: ConfirmProps) {
  const words = appWords.value;
  const task = useTaskWith(asKeysRefusal);
  return (
    <Dialog title={title} closeLabel={words.close} onClose={onClose}>
      {children}
      {task.error.value !== null && <Notice kind="danger">{keysErrorText(task.error.value)}</Notice>}
      <div class="actions">
        <Button kind="quiet" autofocus onClick={onClose}>
          {words.cancel}
        </Button>
        <Button
          kind="danger"
          disabled={!ready}
          busy={task.busy.value}
          onClick={() =>
            void task.run(async () => {
              await onConfirm();
              onClose();
            })
          }
        >
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
