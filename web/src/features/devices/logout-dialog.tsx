import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useClient } from "../../app/client-context.ts";
import { useKeys } from "../../app/keys.ts";
import { asKeysRefusal, keysErrorText } from "../../app/keys-errors.ts";
import { href } from "../../app/route.ts";
import { navigate } from "../../app/router.ts";
import { useTaskWith } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import { KeysError, type KeysAnswer } from "../../keys/port.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Notice, Skeleton } from "../../ui/notice.tsx";
import "./recovery.css";
import { deviceWords } from "./words.ts";

export interface LogoutDialogProps {
  readonly onClose: () => void;
}

type Holds = KeysAnswer<"device:holds">;

/** Says what signing out deletes here and what it leaves, then does it. */
export function LogoutDialog({ onClose }: LogoutDialogProps) {
  const client = useClient();
  const keys = useKeys();
  const words = deviceWords.value;
  const task = useTaskWith(asKeysRefusal);
  const holds = useSignal<Holds | null | "unknown">(null);
  const vault = keys.vault.value;
  useEffect(() => {
    keys.port.ask("device:holds", {}).then(
      (answer) => {
        holds.value = answer;
      },
      () => {
        holds.value = "unknown";
      },
    );
  }, [keys]);

  const known = holds.value === null || holds.value === "unknown" ? undefined : holds.value;
  const losesAll = known?.lastDevice === true && vault.kind === "none" && known.messages > 0;

  function leave(): void {
    void task.run(async () => {
      await forget();
      await client.logout();
      navigate(href({ name: "login" }), { replace: true });
    });
  }

  /** Off the list where the server can be told, and gone from here in any case. */
  async function forget(): Promise<void> {
    try {
      await keys.port.ask("device:forget", { revoke: known?.lastDevice === false });
    } catch (thrown) {
      if (thrown instanceof KeysError && (thrown.code === "offline" || thrown.code === "refused")) {
        await keys.port.ask("device:forget", { revoke: false });
      } else if (!(thrown instanceof KeysError && thrown.code === "not_ready")) throw thrown;
    }
  }

  return (
    <Dialog title={words.logoutTitle} closeLabel={appWords.value.close} onClose={onClose}>
      {holds.value === null && <Skeleton width="100%" height="72px" />}
      {losesAll && (
        <Notice kind="danger">
          {words.logoutLast}{" "}
          <a class="recovery-inline" href={href({ name: "settings", page: "recovery" })} onClick={onClose}>
            {words.logoutMakeKey}
          </a>
        </Notice>
      )}
      {holds.value !== null && (
        <ul class="logout-list">
          <li>
            {known === undefined || known.messages === 0 ? words.logoutKeys : words.logoutDeletes(known.messages)}
          </li>
          {known !== undefined && known.pending > 0 && <li>{words.logoutPending(known.pending)}</li>}
          {known !== undefined && known.unsaved > 0 && vault.kind === "on" && (
            <li>{words.logoutUnsaved(known.unsaved)}</li>
          )}
          {vault.kind === "on" && <li>{words.logoutKeeps}</li>}
          {known?.lastDevice === false && <li>{words.logoutOthers}</li>}
        </ul>
      )}
      {task.error.value !== null && <Notice kind="danger">{keysErrorText(task.error.value)}</Notice>}
      <div class="actions">
        <Button kind="quiet" autofocus onClick={onClose}>
          {appWords.value.cancel}
        </Button>
        <Button
          kind={losesAll ? "danger" : "primary"}
          busy={task.busy.value}
          disabled={holds.value === null}
          onClick={leave}
        >
          {words.logout}
        </Button>
      </div>
    </Dialog>
  );
}
