import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useClient } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { dropLinkSecret, useLinkSecret } from "../../app/link-secret.ts";
import { useTask } from "../../app/task.ts";
import { useTitle } from "../../app/title.ts";
import { appWords } from "../../app/words.ts";
import { Button } from "../../ui/button.tsx";
import { PasswordField } from "../../ui/field.tsx";
import { Notice, Skeleton } from "../../ui/notice.tsx";
import { AuthFrame } from "./auth-frame.tsx";
import { passwordFault } from "./model.ts";
import { resetWords } from "./reset-words.ts";
import { authWords } from "./words.ts";

/** Where the link for a new password leads: it says whose, takes one, and leads to sign-in. Without a link: how to get one. */
export function ResetView() {
  const client = useClient();
  const words = resetWords.value;
  const secret = useLinkSecret("reset");
  const looking = useTask();
  const username = useSignal<string | null>(null);
  const done = useSignal(false);
  const over = useSignal(false);
  useTitle(words.title);

  function look(): void {
    username.value = null;
    done.value = false;
    over.value = false;
    const value = secret.peek();
    if (value === undefined) return;
    void looking.run(async () => {
      ({ username: username.value } = await client.api.call("readPasswordLink", { body: { secret: value } }));
    });
  }
  useEffect(look, [secret.value]);

  if (done.value) {
    return (
      <AuthFrame title={words.done}>
        <p>{words.doneHelp}</p>
        <Onward />
      </AuthFrame>
    );
  }
  if (secret.value === undefined) {
    return (
      <AuthFrame title={words.forgot}>
        <p>{words.forgotAsk}</p>
        <p>{words.forgotKeys}</p>
        <Onward />
      </AuthFrame>
    );
  }
  if (over.value || looking.error.value?.code === "forbidden") {
    return (
      <AuthFrame title={words.over}>
        <p>{words.overHelp}</p>
        <Onward />
      </AuthFrame>
    );
  }
  if (username.value === null) {
    return (
      <AuthFrame title={words.title}>
        {looking.error.value === null ? (
          <div aria-busy="true">
            <Skeleton width="100%" height="200px" />
          </div>
        ) : (
          <>
            <Notice kind="danger">{errorText(looking.error.value)}</Notice>
            <Button kind="primary" wide onClick={look}>
              {appWords.value.reload}
            </Button>
          </>
        )}
      </AuthFrame>
    );
  }
  return (
    <AuthFrame title={words.title}>
      <ResetForm
        username={username.value}
        secret={secret.value}
        onDone={() => {
          dropLinkSecret("reset");
          done.value = true;
        }}
        onOver={() => (over.value = true)}
      />
    </AuthFrame>
  );
}

/** To sign-in; or home, for who is signed in here with another account. */
function Onward() {
  const signedIn = useClient().session.value.kind === "signedIn";
  return (
    <a class="button button-primary" href={signedIn ? "/" : "/login"}>
      {signedIn ? appWords.value.goHome : authWords.value.login}
    </a>
  );
}

interface ResetFormProps {
  readonly username: string;
  readonly secret: string;
  readonly onDone: () => void;
  readonly onOver: () => void;
}

function ResetForm({ username, secret, onDone, onOver }: ResetFormProps) {
  const client = useClient();
  const words = resetWords.value;
  const auth = authWords.value;
  const task = useTask();
  const password = useSignal("");
  const checked = useSignal(false);
  const fault = { short: auth.passwordShort, long: auth.passwordLong, none: undefined }[
    passwordFault(password.value) ?? "none"
  ];

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    checked.value = true;
    if (fault !== undefined) return;
    const body = { secret, password: password.value };
    if (await task.run(() => client.api.call("usePasswordLink", { body }))) onDone();
    else if (task.error.peek()?.code === "forbidden") onOver();
  }

  return (
    <form class="auth-form" noValidate onSubmit={(event) => void submit(event)}>
      <p>{words.lead({ username })}</p>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      {/* Password managers keep the new password under this name. */}
      <input hidden readOnly name="username" autocomplete="username" value={username} />
      <PasswordField
        label={words.password}
        hint={auth.passwordHint}
        name="password"
        autocomplete="new-password"
        showLabel={auth.showPassword}
        hideLabel={auth.hidePassword}
        data-autofocus
        value={password.value}
        onValue={(text) => (password.value = text)}
        error={checked.value ? fault : undefined}
      />
      <Notice>
        {words.signedOut} {words.keys}
      </Notice>
      <Button kind="primary" type="submit" wide busy={task.busy.value}>
        {words.set}
      </Button>
    </form>
  );
}
