import type { InstanceInvite } from "@lescopains/protocol/operator";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { errorText } from "../../app/errors.ts";
import { InviteLink } from "../../app/invites/link.tsx";
import { InviteList } from "../../app/invites/list.tsx";
import { inviteBody, type Lifetime, type Uses } from "../../app/invites/model.ts";
import { InviteOptions } from "../../app/invites/options.tsx";
import { inviteListWords } from "../../app/invites/words.ts";
import { useTask } from "../../app/task.ts";
import { Button } from "../../ui/button.tsx";
import { Notice } from "../../ui/notice.tsx";
import { say } from "../../ui/toasts.tsx";
import { useOperatorCalls } from "./calls.ts";
import { registerLink } from "./model.ts";
import { operatorWords } from "./words.ts";

/** Links to make an account. */
export function InvitesSection({ needed }: { readonly needed: boolean }) {
  const calls = useOperatorCalls();
  const words = operatorWords.value;
  const task = useTask();
  const invites = useSignal<readonly InstanceInvite[] | null>(null);
  const newest = useSignal<InstanceInvite | null>(null);
  const lifetime = useSignal<Lifetime>("week");
  const uses = useSignal<Uses>("1");

  useEffect(() => {
    void task.run(async () => {
      ({ invites: invites.value } = await calls.call("listInstanceInvites"));
    });
  }, [calls]);

  function make(): void {
    void task.run(async () => {
      const made = await calls.call("createInstanceInvite", { body: inviteBody(lifetime.peek(), uses.peek()) });
      newest.value = made;
      invites.value = [made, ...(invites.peek() ?? [])];
    });
  }
  function revoke(code: string): void {
    void task.run(async () => {
      await calls.call("revokeInstanceInvite", { params: { code } });
      invites.value = (invites.peek() ?? []).filter((invite) => invite.code !== code);
      if (newest.peek()?.code === code) newest.value = null;
      say(inviteListWords.value.revoked);
    });
  }

  return (
    <section class="section">
      <h2>{words.invites}</h2>
      <p>{needed ? words.invitesLead : words.invitesIdle}</p>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      <InviteOptions lifetime={lifetime} uses={uses} />
      <div class="actions actions-start">
        <Button kind={newest.value === null ? "primary" : "plain"} busy={task.busy.value} onClick={make}>
          {words.makeInvite}
        </Button>
      </div>
      {newest.value !== null && <InviteLink label={words.inviteLink} address={registerLink(newest.value.code)} />}
      {invites.value !== null && (
        <InviteList invites={invites.value} linkOf={registerLink} busy={task.busy.value} onRevoke={revoke} />
      )}
    </section>
  );
}
