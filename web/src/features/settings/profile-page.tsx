import type { SelfPatch } from "@lescopains/protocol/rest";
import { LIMITS } from "@lescopains/protocol/limits";
import { useSignal } from "@preact/signals";
import { useClient, useLive } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { useTask } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Button } from "../../ui/button.tsx";
import { TextField } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { say } from "../../ui/toasts.tsx";
import { DeleteAccount } from "./delete-account.tsx";
import { settingsWords } from "./words.ts";

/** Name and address of the account. */
export function ProfilePage() {
  const client = useClient();
  const self = useLive().self.value;
  const words = settingsWords.value;
  const task = useTask();
  const displayName = useSignal(self.displayName);
  const email = useSignal(self.email ?? "");
  const name = displayName.value.trim();
  const address = email.value.trim();
  const nameWrong = name === "" || name.length > LIMITS.displayNameMax;
  const emailWrong = address !== "" && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(address);
  const changed = name !== self.displayName || address !== (self.email ?? "");

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (nameWrong || emailWrong || !changed) return;
    const body: SelfPatch = {
      ...(name === self.displayName ? {} : { displayName: name }),
      ...(address === (self.email ?? "") ? {} : { email: address === "" ? null : address }),
    };
    await task.run(async () => {
      client.setSelf(await client.api.call("patchSelf", { body }));
      say(appWords.value.saved);
    });
  }

  return (
    <>
      <form class="section" noValidate onSubmit={(event) => void submit(event)}>
        <div class="settings-profile">
          <Avatar id={self.id} name={name === "" ? self.username : name} side={72} />
          <div>
            <p class="settings-profile-name">{name === "" ? self.username : name}</p>
            <p class="muted">@{self.username}</p>
          </div>
        </div>
        {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
        <TextField
          label={words.displayName}
          hint={words.displayNameHint}
          name="displayName"
          autocomplete="nickname"
          maxLength={LIMITS.displayNameMax}
          value={displayName.value}
          onValue={(text) => (displayName.value = text)}
          error={nameWrong ? words.displayNameWrong : undefined}
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
          error={emailWrong ? words.emailWrong : undefined}
        />
        <div class="actions actions-start">
          <Button kind="primary" type="submit" busy={task.busy.value} disabled={!changed || nameWrong || emailWrong}>
            {appWords.value.save}
          </Button>
        </div>
      </form>
      <DeleteAccount />
    </>
  );
}
