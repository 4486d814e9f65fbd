import type { OperatorEntry } from "@lescopains/protocol/operator";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { errorText } from "../../app/errors.ts";
import { dateFormat } from "../../app/i18n.ts";
import { useTask } from "../../app/task.ts";
import { Button } from "../../ui/button.tsx";
import { Notice, Skeleton } from "../../ui/notice.tsx";
import { useOperatorCalls } from "./calls.ts";
import { operatorWords } from "./words.ts";

const moment = dateFormat({ dateStyle: "medium", timeStyle: "short" });

/** Who did what, when. */
export function LogPage() {
  const calls = useOperatorCalls();
  const words = operatorWords.value;
  const task = useTask();
  const entries = useSignal<readonly OperatorEntry[] | null>(null);
  const next = useSignal<number | null>(null);

  async function load(before?: number): Promise<void> {
    const page = await calls.call("operatorLog", { query: { before } });
    entries.value = before === undefined ? page.entries : [...(entries.peek() ?? []), ...page.entries];
    next.value = page.next;
  }
  useEffect(() => void task.run(() => load()), [calls]);

  return (
    <section class="section">
      <p>{words.logLead}</p>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      {entries.value === null && task.error.value === null && <Skeleton width="100%" height="56px" />}
      <ul>
        {(entries.value ?? []).map(({ id, at, operator, action, subject, subjectName, details }) => (
          <li class="section-row" key={id}>
            <div class="section-row-text">
              <span>
                {words.logLine({ who: operator.name, what: words[`log_${action}`] })}
                {(subjectName ?? subject) !== null && <strong> {subjectName ?? subject}</strong>}
              </span>
              <span class="field-hint">
                {moment.value.format(new Date(at))}
                {details !== null && <code> {JSON.stringify(details)}</code>}
              </span>
            </div>
          </li>
        ))}
      </ul>
      {next.value !== null && (
        <div class="actions actions-start">
          <Button busy={task.busy.value} onClick={() => void task.run(() => load(next.peek() ?? undefined))}>
            {words.more}
          </Button>
        </div>
      )}
    </section>
  );
}
