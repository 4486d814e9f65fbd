import type { Instance, Registration } from "@lescopains/protocol/instance";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useClient } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { useTask } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import { Button } from "../../ui/button.tsx";
import { Choices, Switch, TextField } from "../../ui/field.tsx";
import { Notice, Skeleton } from "../../ui/notice.tsx";
import { say } from "../../ui/toasts.tsx";
import { useOperatorCalls } from "./calls.ts";
import { InvitesSection } from "./invites-section.tsx";
import { operatorWords } from "./words.ts";

const MODES: readonly Registration[] = ["open", "invite", "closed"];

/** What the place is called, who may make an account, and the links that let somebody do so. */
export function DoorPage() {
  const client = useClient();
  const calls = useOperatorCalls();
  const words = operatorWords.value;
  const task = useTask();
  const instance = useSignal<Instance | null>(null);
  const name = useSignal("");

  useEffect(() => {
    void task.run(async () => {
      const now = await client.api.call("getInstance");
      instance.value = now;
      name.value = now.name;
    });
  }, [client]);

  function change(body: { registration?: Registration; serverInvites?: boolean; name?: string }): void {
    const before = instance.peek();
    if (before !== null) instance.value = { ...before, ...body };
    void task
      .run(async () => {
        instance.value = await calls.call("patchInstance", { body });
        say(appWords.value.saved);
      })
      .then((went) => {
        if (!went) instance.value = before;
        return went;
      });
  }

  const now = instance.value;
  if (now === null) {
    return task.error.value === null ? (
      <Skeleton width="100%" height="56px" />
    ) : (
      <Notice kind="danger">{errorText(task.error.value)}</Notice>
    );
  }
  return (
    <>
      <section class="section">
        {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
        <Choices
          legend={words.whoMayRegister}
          value={now.registration}
          options={MODES.map((value) => ({ value, label: words[`mode_${value}`] }))}
          disabled={task.busy.value}
          onValue={(registration) => change({ registration })}
        />
        {now.registration === "invite" && (
          <Switch
            label={words.serverInvites}
            hint={words.serverInvitesHint}
            checked={now.serverInvites}
            disabled={task.busy.value}
            onChecked={(serverInvites) => change({ serverInvites })}
          />
        )}
      </section>
      <InvitesSection needed={now.registration === "invite"} />
      <section class="section">
        <form
          class="form"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            if (name.peek().trim() !== "") change({ name: name.peek().trim() });
          }}
        >
          <TextField
            label={words.instanceName}
            hint={words.instanceNameHint}
            maxLength={100}
            value={name.value}
            onValue={(text) => (name.value = text)}
          />
          <div class="actions actions-start">
            <Button type="submit" busy={task.busy.value} disabled={name.value.trim() === ""}>
              {appWords.value.save}
            </Button>
          </div>
        </form>
      </section>
    </>
  );
}
