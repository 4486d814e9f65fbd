import type { User } from "@lescopains/protocol/entities";
import { useSignal } from "@preact/signals";
import { Ban } from "lucide";
import { useClient, useLive } from "../../app/client-context.ts";
import { Confirm } from "../../app/confirm.tsx";
import { errorText } from "../../app/errors.ts";
import { useTask } from "../../app/task.ts";
import { Button } from "../../ui/button.tsx";
import { Notice } from "../../ui/notice.tsx";
import { dmWords } from "./words.ts";

interface BlockingProps {
  readonly person: User;
}

/** Blocks a person, after asking. Nothing where they are blocked: the conversation itself says so. */
export function BlockButton({ person }: BlockingProps) {
  const client = useClient();
  const live = useLive();
  const words = dmWords.value;
  const asking = useSignal(false);
  const name = person.displayName;
  if (live.blocked(person.id).value) return null;
  return (
    <div class="people-actions">
      <Button kind="danger-quiet" icon={Ban} wide onClick={() => (asking.value = true)}>
        {words.block({ name })}
      </Button>
      {asking.value && (
        <Confirm
          title={words.blockTitle({ name })}
          action={words.blockAction}
          onClose={() => (asking.value = false)}
          onConfirm={async () => {
            await client.api.call("putBlock", { params: { userId: person.id } });
            live.putBlock(person.id, true);
          }}
        >
          <p>{words.blockHelp({ name })}</p>
        </Confirm>
      )}
    </div>
  );
}

/** In place of the composer while one has blocked the other person. */
export function BlockedBar({ person }: BlockingProps) {
  const client = useClient();
  const live = useLive();
  const words = dmWords.value;
  const task = useTask();

  function unblock(): void {
    void task.run(async () => {
      await client.api.call("deleteBlock", { params: { userId: person.id } });
      live.putBlock(person.id, false);
    });
  }

  return (
    <div class="composer-closed">
      <p>{words.blocked({ name: person.displayName })}</p>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      <div class="actions actions-start">
        <Button busy={task.busy.value} onClick={unblock}>
          {words.unblock}
        </Button>
      </div>
    </div>
  );
}
