import { useSignal } from "@preact/signals";
import { useClient, useLive } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { navigate } from "../../app/router.ts";
import { useTask } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { PasswordField } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { say } from "../../ui/toasts.tsx";
import { settingsWords } from "./words.ts";

/** The end of an account, asked for with its password. */
export function DeleteAccount() {
  const words = settingsWords.value;
  const asking = useSignal(false);
  return (
    <section class="section">
      <h2>{words.deleteAccount}</h2>
      <p>{words.deleteHelp}</p>
      <div class="actions actions-start">
        <Button kind="danger-quiet" onClick={() => (asking.value = true)}>
          {words.deleteAccount}
        </Button>
      </div>
      {asking.value && <DeleteDialog onClose={() => (asking.value = false)} />}
    </section>
  );
}

function DeleteDialog({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const live = useLive();
  const words = settingsWords.value;
  const task = useTask();
  const password = useSignal("");
  const wrong = task.error.value?.code === "invalid_credentials";

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    await task.run(async () => {
      await client.api.call("deleteSelf", { body: { password: password.value } });
      // The account is gone: what this browser holds of it opens nothing any more.
      await live.keys.ask("device:forget", { revoke: false }).catch(() => undefined);
      say(settingsWords.value.deleted);
      await client.logout();
      navigate("/login", { replace: true });
    });
  }

  return (
    <Dialog title={words.deleteTitle} closeLabel={appWords.value.close} onClose={onClose}>
      <form class="form" noValidate onSubmit={(event) => void submit(event)}>
        <p>{words.deleteHelp}</p>
        <p>{words.deleteWarning}</p>
        {task.error.value !== null && !wrong && (
          <Notice kind="danger">
            {task.error.value.code === "conflict" ? words.deleteHeld : errorText(task.error.value)}
          </Notice>
        )}
        <PasswordField
          label={words.currentPassword}
          autocomplete="current-password"
          showLabel={words.showPassword}
          hideLabel={words.hidePassword}
          value={password.value}
          onValue={(text) => (password.value = text)}
          error={wrong ? words.passwordWrong : undefined}
        />
        <div class="actions">
          <Button kind="quiet" onClick={onClose}>
            {appWords.value.cancel}
          </Button>
          <Button kind="danger" type="submit" busy={task.busy.value} disabled={password.value === ""}>
            {words.deleteAction}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
