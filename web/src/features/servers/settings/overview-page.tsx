import type { Server } from "@lescopains/protocol/entities";
import { LIMITS } from "@lescopains/protocol/limits";
import { useSignal } from "@preact/signals";
import { useClient, useLive } from "../../../app/client-context.ts";
import { Confirm } from "../../../app/confirm.tsx";
import { errorText } from "../../../app/errors.ts";
import { useTask } from "../../../app/task.ts";
import { appWords } from "../../../app/words.ts";
import { Button } from "../../../ui/button.tsx";
import { SelectField, TextField } from "../../../ui/field.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { say } from "../../../ui/toasts.tsx";
import { serverSettingsWords } from "./words.ts";

/** The place's name; for its owner also the ways to let go of it. */
export function OverviewPage({ server }: { readonly server: Server }) {
  const live = useLive();
  const isOwner = live.self.value.id === server.ownerId;
  return (
    <>
      <NameForm server={server} />
      {isOwner && <HandOver server={server} />}
      {isOwner && <RemoveServer server={server} />}
    </>
  );
}

function NameForm({ server }: { readonly server: Server }) {
  const client = useClient();
  const live = useLive();
  const words = serverSettingsWords.value;
  const task = useTask();
  const name = useSignal(server.name);
  const trimmed = name.value.trim();

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (trimmed === "" || trimmed === server.name) return;
    await task.run(async () => {
      live.putServer(await client.api.call("patchServer", { params: { id: server.id }, body: { name: trimmed } }));
      say(appWords.value.saved);
    });
  }

  return (
    <form class="section" noValidate onSubmit={(event) => void submit(event)}>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      <TextField
        label={words.name}
        maxLength={LIMITS.serverNameMax}
        autocomplete="off"
        value={name.value}
        onValue={(text) => (name.value = text)}
        error={trimmed === "" ? words.nameMissing : undefined}
      />
      <div class="actions actions-start">
        <Button
          kind="primary"
          type="submit"
          busy={task.busy.value}
          disabled={trimmed === "" || trimmed === server.name}
        >
          {appWords.value.save}
        </Button>
      </div>
    </form>
  );
}

function HandOver({ server }: { readonly server: Server }) {
  const client = useClient();
  const live = useLive();
  const words = serverSettingsWords.value;
  const chosenId = useSignal("");
  const asking = useSignal(false);
  const others = live.members(server.id).value.members.filter(({ user }) => user.id !== server.ownerId);
  const chosen = others.find(({ user }) => user.id === chosenId.value)?.user;
  if (others.length === 0) return null;
  return (
    <section class="section">
      <h2>{words.handOver}</h2>
      <p>{words.handOverHelp}</p>
      <SelectField
        label={words.handOverTo}
        value={chosenId.value}
        options={[
          { value: "", label: words.handOverChoose },
          ...others.map(({ user }) => ({ value: user.id as string, label: `${user.displayName} (@${user.username})` })),
        ]}
        onValue={(value) => (chosenId.value = value)}
      />
      <div class="actions actions-start">
        <Button disabled={chosen === undefined} onClick={() => (asking.value = true)}>
          {words.handOver}
        </Button>
      </div>
      {asking.value && chosen !== undefined && (
        <Confirm
          title={words.handOverTitle({ name: chosen.displayName })}
          action={words.handOver}
          onClose={() => (asking.value = false)}
          onConfirm={async () => {
            const body = { ownerId: chosen.id };
            live.putServer(await client.api.call("patchServer", { params: { id: server.id }, body }));
            say(serverSettingsWords.value.handedOver({ name: chosen.displayName }));
          }}
        >
          <p>{words.handOverConfirm}</p>
        </Confirm>
      )}
    </section>
  );
}

function RemoveServer({ server }: { readonly server: Server }) {
  const client = useClient();
  const words = serverSettingsWords.value;
  const asking = useSignal(false);
  const typed = useSignal("");
  return (
    <section class="section">
      <h2>{words.remove}</h2>
      <p>{words.removeHelp}</p>
      <div class="actions actions-start">
        <Button kind="danger-quiet" onClick={() => (asking.value = true)}>
          {words.remove}
        </Button>
      </div>
      {asking.value && (
        <Confirm
          title={words.removeTitle({ name: server.name })}
          action={words.remove}
          ready={typed.value.trim() === server.name}
          onClose={() => (asking.value = false)}
          onConfirm={async () => {
            await client.api.call("deleteServer", { params: { id: server.id } });
          }}
        >
          <p>{words.removeHelp}</p>
          <TextField
            label={words.removeType({ name: server.name })}
            autocomplete="off"
            value={typed.value}
            onValue={(text) => (typed.value = text)}
          />
        </Confirm>
      )}
    </section>
  );
}
