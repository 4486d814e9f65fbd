import { LIMITS } from "@lescopains/protocol/limits";
import { useSignal } from "@preact/signals";
import { useClient, useLive } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { inviteCodeIn } from "../../app/invite-code.ts";
import { href } from "../../app/route.ts";
import { navigate } from "../../app/router.ts";
import { useTask } from "../../app/task.ts";
import { useTitle } from "../../app/title.ts";
import { Button } from "../../ui/button.tsx";
import { TextField } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import "./new-view.css";
import { serverWords } from "./words.ts";

/** Make a place or join one; also the first thing after registering. */
export function NewView() {
  const live = useLive();
  const words = serverWords.value;
  const first = live.ready.value && live.servers.value.length === 0;
  const title = first ? words.welcomeTitle({ name: live.self.value.displayName }) : words.newTitle;
  useTitle(title);
  return (
    <div class="new">
      <div class="new-content">
        <header>
          <h1 tabIndex={-1}>{title}</h1>
          <p class="new-lead">{words.welcomeLead}</p>
        </header>
        <div class="new-ways">
          <MakeForm />
          <JoinForm />
        </div>
      </div>
    </div>
  );
}

function MakeForm() {
  const client = useClient();
  const live = useLive();
  const words = serverWords.value;
  const task = useTask();
  const name = useSignal("");
  const checked = useSignal(false);
  const missing = name.value.trim() === "";

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    checked.value = true;
    if (missing) return;
    await task.run(async () => {
      const server = await client.api.call("createServer", { body: { name: name.value.trim() } });
      live.putServer(server);
      navigate(href({ name: "server", serverId: server.id }));
    });
  }

  return (
    <form class="card" noValidate onSubmit={(event) => void submit(event)}>
      <h2>{words.make}</h2>
      <p>{words.makeHelp}</p>
      <div class="form">
        {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
        <TextField
          label={words.name}
          hint={words.nameHint}
          placeholder={words.namePlaceholder}
          maxLength={LIMITS.serverNameMax}
          autocomplete="off"
          value={name.value}
          onValue={(text) => (name.value = text)}
          error={checked.value && missing ? words.nameMissing : undefined}
        />
        <Button kind="primary" type="submit" busy={task.busy.value}>
          {words.makeAction}
        </Button>
      </div>
    </form>
  );
}

function JoinForm() {
  const words = serverWords.value;
  const pasted = useSignal("");
  const checked = useSignal(false);
  const code = inviteCodeIn(pasted.value);

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    checked.value = true;
    if (code !== undefined) navigate(href({ name: "invite", code }));
  }

  return (
    <form class="card" noValidate onSubmit={submit}>
      <h2>{words.join}</h2>
      <p>{words.joinHelp}</p>
      <div class="form">
        <TextField
          label={words.invite}
          placeholder={words.invitePlaceholder}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={pasted.value}
          onValue={(text) => {
            pasted.value = text;
            checked.value = false;
          }}
          error={checked.value && code === undefined ? words.inviteWrong : undefined}
        />
        <Button type="submit">{words.joinAction}</Button>
      </div>
    </form>
  );
}
