import type { ServerId } from "@lescopains/protocol/ids";
import { LIMITS } from "@lescopains/protocol/limits";
import { useSignal } from "@preact/signals";
import { useClient, useLive } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { href } from "../../app/route.ts";
import { navigate } from "../../app/router.ts";
import { useTask } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Choices, TextField } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { channelWords } from "./words.ts";

interface CreateChannelProps {
  readonly serverId: ServerId;
  readonly onClose: () => void;
}

export function CreateChannelDialog({ serverId, onClose }: CreateChannelProps) {
  const client = useClient();
  const live = useLive();
  const words = channelWords.value;
  const task = useTask();
  const name = useSignal("");
  const kind = useSignal<"text" | "voice">("text");
  const checked = useSignal(false);
  const missing = name.value.trim() === "";

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    checked.value = true;
    if (missing) return;
    await task.run(async () => {
      const body = { name: name.value.trim(), type: kind.value };
      const channel = await client.api.call("createChannel", { params: { id: serverId }, body });
      live.putChannel(channel);
      onClose();
      navigate(href({ name: "channel", serverId, channelId: channel.id }));
    });
  }

  return (
    <Dialog title={words.create} closeLabel={appWords.value.close} onClose={onClose}>
      <form class="form" noValidate onSubmit={(event) => void submit(event)}>
        {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
        <Choices
          legend={words.kind}
          value={kind.value}
          options={[
            { value: "text", label: words.kindText },
            { value: "voice", label: words.kindVoice },
          ]}
          onValue={(value) => (kind.value = value)}
        />
        {kind.value === "voice" && <p class="field-hint">{words.voiceHint}</p>}
        <TextField
          label={words.name}
          hint={words.nameHint}
          maxLength={LIMITS.channelNameMax}
          autocomplete="off"
          autofocus
          value={name.value}
          onValue={(text) => (name.value = text)}
          error={checked.value && missing ? words.nameMissing : undefined}
        />
        <div class="actions">
          <Button kind="quiet" onClick={onClose}>
            {appWords.value.cancel}
          </Button>
          <Button kind="primary" type="submit" busy={task.busy.value}>
            {words.createAction}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
