import type { Invite, Server } from "@lescopains/protocol/entities";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useClient } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { inviteLink } from "../../app/invite-code.ts";
import { InviteLink } from "../../app/invites/link.tsx";
import { inviteBody, type Lifetime, type Uses } from "../../app/invites/model.ts";
import { InviteOptions } from "../../app/invites/options.tsx";
import { useTask } from "../../app/task.ts";
import { appWords } from "../../app/words.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Notice } from "../../ui/notice.tsx";
import { ServerInvites } from "./server-invites.tsx";
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

  function make(): void {
    void task.run(async () => {
      const body = inviteBody(lifetime.peek(), uses.peek());
      invite.value = await client.api.call("createInvite", { params: { id: server.id }, body });
    });
  }
  useEffect(make, [server.id]);

  const address = invite.value === null ? "" : inviteLink(invite.value.code);
  return (
    <Dialog title={words.title({ name: server.name })} closeLabel={appWords.value.close} wide onClose={onClose}>
      <p>{words.lead}</p>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      <InviteLink label={words.link} address={address} placeholder={words.making} autofocus />
      <InviteOptions lifetime={lifetime} uses={uses} />
      <div class="actions actions-start">
        <Button busy={task.busy.value} onClick={make}>
          {words.make}
        </Button>
      </div>
      <ServerInvites serverId={server.id} newest={invite.value} />
    </Dialog>
  );
}
