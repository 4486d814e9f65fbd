import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useClient } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { secondFactor } from "../../app/second-factor.ts";
import { useTask } from "../../app/task.ts";
import { useTitle } from "../../app/title.ts";
import { Button } from "../../ui/button.tsx";
import { PasswordField, TextField } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { AuthFrame } from "./auth-frame.tsx";
import { authWords } from "./words.ts";

/** Name and password first; the code of the authenticator when the account asks for one. */
export function LoginView() {
  const client = useClient();
  const words = authWords.value;
  const username = useSignal("");
  const password = useSignal("");
  const step = useSignal<"credentials" | "code">("credentials");
  useTitle(words.login);

  if (step.value === "code") {
    return <CodeStep username={username.value} password={password.value} onBack={() => (step.value = "credentials")} />;
  }
  const session = client.session.value;
  return (
    <AuthFrame title={words.loginTitle}>
      {session.kind === "signedOut" && session.ended && <Notice>{words.loginEnded}</Notice>}
      <CredentialsForm username={username} password={password} onCodeAsked={() => (step.value = "code")} />
      <p class="auth-other">
        <a href="/reset">{words.forgot}</a>
      </p>
      <p class="auth-other">
        {words.newHere} <a href={`/register${location.search}`}>{words.makeAccount}</a>
      </p>
    </AuthFrame>
  );
}

interface CredentialsProps {
  readonly username: { value: string };
  readonly password: { value: string };
  readonly onCodeAsked: () => void;
}

function CredentialsForm({ username, password, onCodeAsked }: CredentialsProps) {
  const client = useClient();
  const words = authWords.value;
  const task = useTask();
  const checked = useSignal(false);
  const error = task.error.value;
  const missing = { username: username.value.trim() === "", password: password.value === "" };

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    checked.value = true;
    if (missing.username || missing.password) return;
    await task.run(() => client.login({ username: username.value.trim(), password: password.value }));
    if (task.error.peek()?.code === "totp_required") onCodeAsked();
  }

  return (
    <form class="auth-form" noValidate onSubmit={(event) => void submit(event)}>
      {error !== null && error.code !== "totp_required" && <Notice kind="danger">{errorText(error)}</Notice>}
      <TextField
        label={words.username}
        name="username"
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        data-autofocus
        value={username.value}
        onValue={(text) => (username.value = text)}
        error={checked.value && missing.username ? words.usernameMissing : undefined}
      />
      <PasswordField
        label={words.password}
        name="password"
        autocomplete="current-password"
        showLabel={words.showPassword}
        hideLabel={words.hidePassword}
        value={password.value}
        onValue={(text) => (password.value = text)}
        error={checked.value && missing.password ? words.passwordMissing : undefined}
      />
      <Button kind="primary" type="submit" wide busy={task.busy.value}>
        {words.login}
      </Button>
    </form>
  );
}

interface CodeStepProps {
  readonly username: string;
  readonly password: string;
  readonly onBack: () => void;
}

function CodeStep({ username, password, onBack }: CodeStepProps) {
  const client = useClient();
  const words = authWords.value;
  const task = useTask();
  const typed = useSignal("");
  const checked = useSignal(false);
  const input = useRef<HTMLInputElement>(null);
  const code = secondFactor(typed.value);
  const error = task.error.value;
  useEffect(() => input.current?.focus(), []);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    checked.value = true;
    if (code === undefined) return;
    if (!(await task.run(() => client.login({ username, password, totp: code })))) input.current?.select();
  }

  return (
    <AuthFrame title={words.codeTitle}>
      <p>{words.codeLead}</p>
      <form class="auth-form" noValidate onSubmit={(event) => void submit(event)}>
        {error !== null && <Notice kind="danger">{errorText(error)}</Notice>}
        <TextField
          label={words.code}
          hint={words.codeHint}
          name="code"
          autocomplete="one-time-code"
          autocapitalize="none"
          spellcheck={false}
          inputRef={input}
          value={typed.value}
          onValue={(text) => {
            typed.value = text;
            checked.value = false;
          }}
          error={checked.value && code === undefined ? words.codeWrong : undefined}
        />
        <Button kind="primary" type="submit" wide busy={task.busy.value}>
          {words.verify}
        </Button>
        <Button kind="quiet" wide onClick={onBack}>
          {words.otherAccount}
        </Button>
      </form>
    </AuthFrame>
  );
}
