import type { OperatorStatus } from "@lescopains/protocol/operator";
import { useSignal } from "@preact/signals";
import { RefreshCw } from "lucide";
import { useEffect } from "preact/hooks";
import { errorText } from "../../app/errors.ts";
import { numberFormat, region } from "../../app/i18n.ts";
import { useTask } from "../../app/task.ts";
import { Button } from "../../ui/button.tsx";
import { Notice, Skeleton } from "../../ui/notice.tsx";
import { useOperatorCalls } from "./calls.ts";
import { inUnits } from "./model.ts";
import { operatorWords } from "./words.ts";

const whole = numberFormat();

function bytesText(bytes: number): string {
  const { value, unit } = inUnits(bytes);
  return new Intl.NumberFormat(region.value, { style: "unit", unit, maximumFractionDigits: 1 }).format(value);
}

/** Whether everything runs, in which version, and what fills the disk. */
export function HealthPage() {
  const calls = useOperatorCalls();
  const words = operatorWords.value;
  const task = useTask();
  const status = useSignal<OperatorStatus | null>(null);

  async function load(): Promise<void> {
    status.value = await calls.call("operatorStatus");
  }
  useEffect(() => void task.run(load), [calls]);

  const now = status.value;
  return (
    <>
      <section class="section">
        {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
        {now === null && task.error.value === null && <Skeleton width="100%" height="120px" />}
        {now?.unnamedProxy === true && <Notice kind="caution">{words.unnamedProxy}</Notice>}
        {now !== null && (
          <dl class="facts">
            <dt>{words.database}</dt>
            <dd>{words.databaseAnswers({ version: now.databaseVersion })}</dd>
            <dt>{words.voice}</dt>
            <dd>{now.nodes === 0 ? words.voiceNone : words.voiceNodes(now.nodes)}</dd>
            <dt>{words.version}</dt>
            <dd>{now.version}</dd>
            <dt>{words.accounts}</dt>
            <dd>{whole.value.format(now.users)}</dd>
            <dt>{words.servers}</dt>
            <dd>{whole.value.format(now.servers)}</dd>
            <dt>{words.sockets}</dt>
            <dd>{whole.value.format(now.sockets)}</dd>
          </dl>
        )}
        <div class="actions actions-start">
          <Button icon={RefreshCw} busy={task.busy.value} onClick={() => void task.run(load)}>
            {words.refresh}
          </Button>
        </div>
      </section>
      {now !== null && (
        <section class="section">
          <h2>{words.storage}</h2>
          <p>{words.storageLead({ size: bytesText(now.databaseBytes) })}</p>
          <table class="operator-table">
            <thead>
              <tr>
                <th scope="col">{words.table}</th>
                <th scope="col">{words.size}</th>
                <th scope="col">{words.rows}</th>
              </tr>
            </thead>
            <tbody>
              {now.tables.map((table) => (
                <tr key={table.name}>
                  <th scope="row">{table.name}</th>
                  <td>{bytesText(table.bytes)}</td>
                  <td>{whole.value.format(table.rows)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}
