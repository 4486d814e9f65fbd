import { LIMITS } from "@lescopains/protocol/limits";
import { useSignal } from "@preact/signals";
import { useClient } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { useTask } from "../../app/task.ts";
import { Button } from "../../ui/button.tsx";
import { PasswordField } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { say } from "../../ui/toasts.tsx";
import { TwoFactor } from "./two-factor.tsx";
import { settingsWords } from "./words.ts";

/** How one gets in. */
export function SecurityPage() {
  return (
    <>
      <PasswordForm />
      <TwoFactor />
    </>
  );
}

function PasswordForm() {
  const client = useClient();
  const words = settingsWords.value;
  const task = useTask();
  const current = useSignal("");
  const next = useSignal("");
  const checked = useSignal(false);
  const tooShort = next.value.length < LIMITS.passwordMin;
  const tooLong = new TextEncoder().encode(next.value).length > LIMITS.passwordBytesMax;
  const wrong = task.error.value?.code === "invalid_credentials";
  const currentError = wrong ? words.passwordWrong : current.value === "" ? words.passwordMissing : undefined;
  const nextError = tooShort ? words.passwordShort : tooLong ? words.passwordLong : undefined;

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    checked.value = true;
    if (current.value === "" || tooShort || tooLong) return;
    await task.run(async () => {
      const body = { currentPassword: current.value, password: next.value };
      client.setSelf(await client.api.call("patchSelf", { body }));
      current.value = "";
      next.value = "";
      checked.value = false;
      say(settingsWords.value.passwordChanged);
    });
  }

  return (
    <form class="section" noValidate onSubmit={(event) => void submit(event)}>
      <h2>{words.changePassword}</h2>
      <p>{words.changePasswordHelp}</p>
      {task.error.value !== null && !wrong && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      <PasswordField
        label={words.currentPassword}
        autocomplete="current-password"
        showLabel={words.showPassword}
        hideLabel={words.hidePassword}
        value={current.value}
        onValue={(text) => {
          current.value = text;
          task.clear();
        }}
        error={checked.value ? currentError : undefined}
      />
      <PasswordField
        label={words.newPassword}
        hint={words.newPasswordHint}
        autocomplete="new-password"
        showLabel={words.showPassword}
        hideLabel={words.hidePassword}
        value={next.value}
        onValue={(text) => (next.value = text)}
        error={checked.value ? nextError : undefined}
      />
      <div class="actions actions-start">
        <Button kind="primary" type="submit" busy={task.busy.value}>
          {words.changePassword}
        </Button>
      </div>
    </form>
  );
}
