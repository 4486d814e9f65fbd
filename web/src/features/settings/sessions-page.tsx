import type { PasswordLink, Session } from "@lescopains/protocol/entities";
import { useSignal } from "@preact/signals";
import { MonitorSmartphone } from "lucide";
import { useEffect } from "preact/hooks";
import { useClient } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { agoText } from "../../app/ago-text.ts";
import { dateFormat } from "../../app/i18n.ts";
import { useTask } from "../../app/task.ts";
import { Button } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Notice, Skeleton } from "../../ui/notice.tsx";
import { say } from "../../ui/toasts.tsx";
import { settingsWords } from "./words.ts";

const day = dateFormat({ dateStyle: "medium" });
const moment = dateFormat({ dateStyle: "medium", timeStyle: "short" });

/** Where the account is signed in, and the end of each. */
export function SessionsPage() {
  const client = useClient();
  const words = settingsWords.value;
  const sessions = useSignal<readonly Session[] | null>(null);
  const passwordLink = useSignal<PasswordLink | null>(null);
  const task = useTask();

  useEffect(() => {
    void task.run(async () => {
      const answer = await client.api.call("listSessions");
      passwordLink.value = answer.passwordLink;
      sessions.value = answer.sessions.toSorted(
        (one, other) =>
          Number(other.current) - Number(one.current) || Date.parse(other.lastUsedAt) - Date.parse(one.lastUsedAt),
      );
    });
  }, [client]);

  async function end(ended: readonly Session[]): Promise<void> {
    await task.run(async () => {
      for (const { id } of ended) {
        await client.api.call("revokeSession", { params: { id } });
        sessions.value = (sessions.peek() ?? []).filter((session) => session.id !== id);
      }
      say(settingsWords.value.ended);
    });
  }

  const link = passwordLink.value;
  const others = (sessions.value ?? []).filter((session) => !session.current);
  return (
    <section class="section">
      <p>{words.sessionsLead}</p>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      {link !== null && (
        <Notice kind="caution">
          {words.passwordLinkMade({ when: moment.value.format(new Date(link.madeAt)) })}{" "}
          {link.usedAt === null
            ? words.passwordLinkUnused
            : words.passwordLinkUsed({ when: moment.value.format(new Date(link.usedAt)) })}{" "}
          {words.passwordLinkDoubt}
        </Notice>
      )}
      {sessions.value === null && task.error.value === null && <Skeleton width="100%" height="56px" />}
      <ul>
        {(sessions.value ?? []).map((session) => (
          <li class="section-row" key={session.id}>
            <Icon node={MonitorSmartphone} />
            <div class="section-row-text">
              <span>
                {session.name}
                {session.current && <strong> · {words.thisOne}</strong>}
              </span>
              <span class="field-hint">
                {words.lastUsed({ when: agoText(session.lastUsedAt) })} ·{" "}
                <span class="unbroken">
                  {words.signedInOn({ date: day.value.format(new Date(session.createdAt)) })}
                </span>
              </span>
            </div>
            {!session.current && (
              <Button
                aria-label={words.endSession({ name: session.name })}
                disabled={task.busy.value}
                onClick={() => void end([session])}
              >
                {words.end}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {others.length > 1 && (
        <div class="actions actions-start">
          <Button kind="danger-quiet" busy={task.busy.value} onClick={() => void end(others)}>
            {words.endOthers(others.length)}
          </Button>
        </div>
      )}
    </section>
  );
}
