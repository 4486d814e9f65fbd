import type { Invite } from "@lescopains/protocol/entities";
import type { ServerId } from "@lescopains/protocol/ids";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useClient } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { inviteLink } from "../../app/invite-code.ts";
import { InviteList } from "../../app/invites/list.tsx";
import { inviteListWords } from "../../app/invites/words.ts";
import { useTask } from "../../app/task.ts";
import { asApiError } from "../../net/api-error.ts";
import { Notice } from "../../ui/notice.tsx";
import { say } from "../../ui/toasts.tsx";
import { inviteWords } from "./words.ts";

interface ServerInvitesProps {
  readonly serverId: ServerId;
  /** Read again when another one was made. */
  readonly newest: Invite | null;
}

/** The invites that still let someone in. Those who may not list them see nothing here. */
export function ServerInvites({ serverId, newest }: ServerInvitesProps) {
  const client = useClient();
  const words = inviteWords.value;
  const invites = useSignal<readonly Invite[] | null>(null);
  const task = useTask();

  useEffect(() => {
    let current = true;
    client.api.call("listInvites", { params: { id: serverId } }).then(
      (answer) => {
        if (current) invites.value = answer.invites;
        return answer;
      },
      (thrown: unknown) => {
        if (current && asApiError(thrown).code !== "forbidden") say(errorText(asApiError(thrown)));
      },
    );
    return () => {
      current = false;
    };
  }, [client, serverId, newest]);

  function revoke(code: string): void {
    void task.run(async () => {
      await client.api.call("revokeInvite", { params: { code } });
      invites.value = (invites.peek() ?? []).filter((invite) => invite.code !== code);
      say(inviteListWords.value.revoked);
    });
  }

  if (invites.value === null) return null;
  return (
    <section class="person-section">
      <h3>{words.existing}</h3>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      <InviteList invites={invites.value} linkOf={inviteLink} busy={task.busy.value} onRevoke={revoke} />
    </section>
  );
}
