import { useSignal } from "@preact/signals";
import { useClient, useLive } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { secondFactor } from "../../app/second-factor.ts";
import { useTask } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { PasswordField, TextField } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { settingsWords } from "./words.ts";

/** Back to the password alone, with both proofs in hand. */
export function TwoFactorOffDialog({ onClose }: { readonly onClose: () => void }) {
  const client = useClient();
  const live = useLive();
  const words = settingsWords.value;
  const task = useTask();
  const password = useSignal("");
  const typed = useSignal("");
  const code = secondFactor(typed.value);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (code === undefined) return;
    await task.run(async () => {
      await client.api.call("totpDisable", { body: { password: password.value, code } });
      client.setSelf({ ...live.self.peek(), totpEnabled: false });
      onClose();
    });
  }

  return (
    <Dialog title={words.twoFactorOffTitle} closeLabel={appWords.value.close} onClose={onClose}>
      <form class="form" noValidate onSubmit={(event) => void submit(event)}>
        <p>{words.twoFactorOffHelp}</p>
        {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
        <PasswordField
          label={words.currentPassword}
          autocomplete="current-password"
          showLabel={words.showPassword}
          hideLabel={words.hidePassword}
          value={password.value}
          onValue={(text) => (password.value = text)}
        />
        <TextField
          label={words.anyCode}
          autocomplete="one-time-code"
          autocapitalize="none"
          value={typed.value}
          onValue={(text) => (typed.value = text)}
        />
        <div class="actions">
          <Button kind="quiet" onClick={onClose}>
            {appWords.value.cancel}
          </Button>
          <Button
            kind="danger"
            type="submit"
            busy={task.busy.value}
            disabled={password.value === "" || code === undefined}
          >
            {words.twoFactorOffAction}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
