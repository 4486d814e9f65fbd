import type { Invite, Server } from "@lescopains/protocol/entities";
import { useSignal } from "@preact/signals";
import { Copy } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { useClient } from "../../app/client-context.ts";
import { copyText } from "../../app/copy.ts";
import { errorText } from "../../app/errors.ts";
import { inviteLink } from "../../app/invite-code.ts";
import { useTask } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { SelectField, TextField } from "../../ui/field.tsx";
import { Notice } from "../../ui/notice.tsx";
import { InviteList } from "./invite-list.tsx";
import { LIFETIMES, LIFETIMES_S, type Lifetime, USES, type Uses } from "./model.ts";
import "./view.css";
import { inviteWords } from "./words.ts";

interface InviteDialogProps {
  readonly server: Server;
  readonly onClose: () => void;
}

/** A link to send, ready when the dialog opens; how long it works can be changed by making another one. */
export function InviteDialog({ server, onClose }: InviteDialogProps) {
  const client = useClient();
  const words = inviteWords.value;
  const task = useTask();
  const invite = useSignal<Invite | null>(null);
  const lifetime = useSignal<Lifetime>("week");
  const uses = useSignal<Uses>("any");
  const link = useRef<HTMLInputElement>(null);

  function make(): void {
    void task.run(async () => {
      const maxUses = uses.peek() === "any" ? null : Number(uses.peek());
      const body = { expiresIn: LIFETIMES_S[lifetime.peek()], maxUses };
      invite.value = await client.api.call("createInvite", { params: { id: server.id }, body });
    });
  }
  useEffect(make, [server.id]);

  const address = invite.value === null ? "" : inviteLink(invite.value.code);
  return (
    <Dialog title={words.title({ name: server.name })} closeLabel={appWords.value.close} wide onClose={onClose}>
      <p>{words.lead}</p>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      <div class="copy-row">
        <TextField
          label={words.link}
          readOnly
          placeholder={words.making}
          inputRef={link}
          value={address}
          onValue={() => undefined}
        />
        <Button
          kind="primary"
          icon={Copy}
          autofocus
          disabled={address === ""}
          onClick={() => void copyText(address, link.current)}
        >
          {appWords.value.copy}
        </Button>
      </div>
      <div class="invite-options" role="group" aria-label={words.options}>
        <SelectField
          label={words.expires}
          value={lifetime.value}
          options={LIFETIMES.map((value) => ({ value, label: words[value] }))}
          onValue={(value) => (lifetime.value = value)}
        />
        <SelectField
          label={words.uses}
          value={uses.value}
          options={USES.map((value) => ({
            value,
            label: value === "any" ? words.anyUses : words.usesCount(Number(value)),
          }))}
          onValue={(value) => (uses.value = value)}
        />
      </div>
      <div class="actions actions-start">
        <Button busy={task.busy.value} onClick={make}>
          {words.make}
        </Button>
      </div>
      <InviteList serverId={server.id} newest={invite.value} />
    </Dialog>
  );
}
