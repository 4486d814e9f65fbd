import type { Ban, Server, User } from "@lescopains/protocol/entities";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useClient } from "../../../app/client-context.ts";
import { errorText } from "../../../app/errors.ts";
import { dateFormat } from "../../../app/i18n.ts";
import { useTask } from "../../../app/task.ts";
import { Avatar } from "../../../ui/avatar.tsx";
import { Button } from "../../../ui/button.tsx";
import { Notice, Skeleton } from "../../../ui/notice.tsx";
import { say } from "../../../ui/toasts.tsx";
import { serverSettingsWords } from "./words.ts";

const day = dateFormat({ dateStyle: "medium" });

/** Who may not come back, and the way to let them. */
export function BansPage({ server }: { readonly server: Server }) {
  const client = useClient();
  const words = serverSettingsWords.value;
  const task = useTask();
  const bans = useSignal<readonly Ban[] | null>(null);
  useEffect(() => {
    void task.run(async () => {
      bans.value = (await client.api.call("listBans", { params: { id: server.id } })).bans;
    });
  }, [client, server.id]);

  function unban(user: User): void {
    void task.run(async () => {
      await client.api.call("unban", { params: { id: server.id, userId: user.id } });
      bans.value = (bans.peek() ?? []).filter((ban) => ban.user.id !== user.id);
      say(serverSettingsWords.value.unbanned({ name: user.displayName }));
    });
  }

  return (
    <section class="section">
      <p>{bans.value?.length === 0 ? words.bansNone : words.bansLead}</p>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      {bans.value === null && task.error.value === null && <Skeleton width="100%" height="56px" />}
      <ul>
        {(bans.value ?? []).map(({ user, reason, createdAt }) => (
          <li class="section-row" key={user.id}>
            <Avatar id={user.id} name={user.displayName} side={36} />
            <div class="section-row-text">
              <span>
                {user.displayName} <span class="muted">@{user.username}</span>
              </span>
              <span class="field-hint">
                {words.bannedOn({ date: day.value.format(new Date(createdAt)) })}
                {reason !== null && ` · ${reason}`}
              </span>
            </div>
            <Button
              aria-label={words.unbanName({ name: user.displayName })}
              disabled={task.busy.value}
              onClick={() => unban(user)}
            >
              {words.unban}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
