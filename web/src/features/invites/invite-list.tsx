import type { Invite } from "@lescopains/protocol/entities";
import type { ServerId } from "@lescopains/protocol/ids";
import { useSignal } from "@preact/signals";
import { Copy, X } from "lucide";
import { useEffect } from "preact/hooks";
import { useClient } from "../../app/client-context.ts";
import { copyText } from "../../app/copy.ts";
import { errorText } from "../../app/errors.ts";
import { dateFormat } from "../../app/i18n.ts";
import { inviteLink } from "../../app/invite-code.ts";
import { useTask } from "../../app/task.ts";
import { asApiError } from "../../net/api-error.ts";
import { IconButton } from "../../ui/button.tsx";
import { Notice } from "../../ui/notice.tsx";
import { say } from "../../ui/toasts.tsx";
import { works } from "./model.ts";
import "./view.css";
import { inviteWords } from "./words.ts";

const moment = dateFormat({ dateStyle: "medium", timeStyle: "short" });

interface InviteListProps {
  readonly serverId: ServerId;
  /** Read again when another one was made. */
  readonly newest: Invite | null;
}

/** The invites that still let someone in. Those who may not list them see nothing here. */
export function InviteList({ serverId, newest }: InviteListProps) {
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

  if (invites.value === null) return null;
  const alive = invites.value.filter((invite) => works(invite, Date.now()));
  return (
    <section class="person-section">
      <h3>{words.existing}</h3>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      {alive.length === 0 && <p class="field-hint">{words.none}</p>}
      <ul class="invite-list">
        {alive.map((invite) => (
          <li class="invite-row" key={invite.code}>
            <div class="invite-row-text">
              <p class="invite-code one-line">{invite.code}</p>
              <p class="field-hint">
                {invite.expiresAt === null
                  ? words.forever
                  : words.until({ date: moment.value.format(new Date(invite.expiresAt)) })}
                {" · "}
                {invite.maxUses === null
                  ? words.used(invite.uses)
                  : words.usedOf({ uses: invite.uses, max: invite.maxUses })}
              </p>
            </div>
            <IconButton
              icon={Copy}
              label={words.copyCode({ code: invite.code })}
              onClick={() => void copyText(inviteLink(invite.code))}
            />
            <IconButton
              icon={X}
              label={words.revokeCode({ code: invite.code })}
              onClick={() =>
                void task.run(async () => {
                  await client.api.call("revokeInvite", { params: { code: invite.code } });
                  invites.value = (invites.peek() ?? []).filter(({ code }) => code !== invite.code);
                  say(inviteWords.value.revoked);
                })
              }
            />
          </li>
        ))}
      </ul>
    </section>
  );
}
