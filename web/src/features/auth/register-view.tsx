import type { Instance } from "@lescopains/protocol/instance";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useClient } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { linkSecret } from "../../app/link-secret.ts";
import { useTask } from "../../app/task.ts";
import { useTitle } from "../../app/title.ts";
import { appWords } from "../../app/words.ts";
import { Button } from "../../ui/button.tsx";
import { PasswordField, TextField } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { AuthFrame } from "./auth-frame.tsx";
import { emailLooksRight, inviteIn, inviteTyped, passwordFault, usernameFault } from "./model.ts";
import { authWords } from "./words.ts";

/** A new account: faults that the form can see are shown beside their field after the first try, and as one types on. */
export function RegisterView() {
  const client = useClient();
  const words = authWords.value;
  const task = useTask();
  const username = useSignal("");
  const email = useSignal("");
  const password = useSignal("");
  const checked = useSignal(false);
  const taken = useSignal<string | null>(null);
  const instance = useSignal<Instance | null>(null);
  const typedInvite = useSignal("");
  const form = useRef<HTMLFormElement>(null);
  const error = task.error.value;
  // A link brings its code; without one, it is asked for where it is needed.
  const claim = linkSecret("claim");
  const brought = claim ?? inviteIn(location.search);
  const asksInvite = instance.value?.registration === "invite" && brought === undefined;
  const isClosed = instance.value?.registration === "closed" && claim === undefined;
  useEffect(() => {
    // An answer that does not come stops nobody: the server says no by itself.
    client.api.call("getInstance").then(
      (now) => (instance.value = now),
      () => undefined,
    );
  }, [client]);
  useTitle(words.register);

  const faults = {
    username: { short: words.usernameShort, long: words.usernameLong, letters: words.usernameLetters, none: undefined }[
      usernameFault(username.value) ?? "none"
    ],
    email: emailLooksRight(email.value.trim()) ? undefined : words.emailWrong,
    password: { short: words.passwordShort, long: words.passwordLong, none: undefined }[
      passwordFault(password.value) ?? "none"
    ],
  };
  const invite = asksInvite ? inviteTyped(typedInvite.value) : brought;
  const inviteMissing = asksInvite && invite === undefined ? words.inviteMissing : undefined;
  const nameTaken = taken.value === username.value ? appWords.value.error_username_taken : undefined;

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    checked.value = true;
    if (Object.values(faults).some((fault) => fault !== undefined) || inviteMissing !== undefined) {
      // The fields are marked when this render is done; the first of them is where to go on.
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
      return;
    }
    const address = email.value.trim();
    const name = username.value;
    await task.run(() =>
      client.register({
        username: name,
        password: password.value,
        ...(address === "" ? {} : { email: address }),
        ...(invite === undefined ? {} : { invite }),
      }),
    );
    if (task.error.peek()?.code === "username_taken") taken.value = name;
  }

  if (isClosed) {
    return (
      <AuthFrame title={words.closedTitle}>
        <p>{words.closed({ name: instance.value?.name ?? "" })}</p>
        <p class="auth-other">
          {words.haveAccount} <a href={`/login${location.search}`}>{words.login}</a>
        </p>
      </AuthFrame>
    );
  }
  return (
    <AuthFrame title={words.registerTitle}>
      <form class="auth-form" noValidate ref={form} onSubmit={(event) => void submit(event)}>
        {error !== null && error.code !== "username_taken" && <Notice kind="danger">{errorText(error)}</Notice>}
        {asksInvite && (
          <TextField
            label={words.invite}
            hint={words.inviteHint({ name: instance.value?.name ?? "" })}
            name="invite"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            value={typedInvite.value}
            onValue={(text) => (typedInvite.value = text)}
            error={checked.value ? inviteMissing : undefined}
          />
        )}
        <TextField
          label={words.username}
          hint={words.usernameHint}
          name="username"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          data-autofocus
          value={username.value}
          onValue={(text) => (username.value = text)}
          error={nameTaken ?? (checked.value ? faults.username : undefined)}
        />
        <TextField
          label={words.email}
          optional={appWords.value.optional}
          hint={words.emailHint}
          type="email"
          name="email"
          autocomplete="email"
          inputMode="email"
          value={email.value}
          onValue={(text) => (email.value = text)}
          error={checked.value ? faults.email : undefined}
        />
        <PasswordField
          label={words.password}
          hint={words.passwordHint}
          name="password"
          autocomplete="new-password"
          showLabel={words.showPassword}
          hideLabel={words.hidePassword}
          value={password.value}
          onValue={(text) => (password.value = text)}
          error={checked.value ? faults.password : undefined}
        />
        <Button kind="primary" type="submit" wide busy={task.busy.value}>
          {words.register}
        </Button>
      </form>
      <p class="auth-other">
        {words.haveAccount} <a href={`/login${location.search}`}>{words.login}</a>
      </p>
    </AuthFrame>
  );
}
