import type { VoiceNode } from "@lescopains/protocol/operator";
import { useSignal } from "@preact/signals";
import { RefreshCw, Server } from "lucide";
import { useEffect } from "preact/hooks";
import { Confirm } from "../../app/confirm.tsx";
import { errorText } from "../../app/errors.ts";
import { numberFormat } from "../../app/i18n.ts";
import { useTask } from "../../app/task.ts";
import { Button } from "../../ui/button.tsx";
import { SelectField } from "../../ui/field.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Notice, Skeleton } from "../../ui/notice.tsx";
import { say } from "../../ui/toasts.tsx";
import { useOperatorCalls } from "./calls.ts";
import { DRAIN_MINUTES, type DrainMinutes } from "./model.ts";
import { operatorWords } from "./words.ts";

const percent = numberFormat({ style: "percent" });
const megabits = numberFormat({ maximumFractionDigits: 1 });

/** The machines that carry voice: what they bear, and taking one out of service. */
export function NodesPage() {
  const calls = useOperatorCalls();
  const words = operatorWords.value;
  const task = useTask();
  const nodes = useSignal<readonly VoiceNode[] | null>(null);
  const draining = useSignal<VoiceNode | null>(null);
  const minutes = useSignal<DrainMinutes>("60");

  async function load(): Promise<void> {
    ({ nodes: nodes.value } = await calls.call("listVoiceNodes"));
  }
  useEffect(() => void task.run(load), [calls]);

  async function set(node: VoiceNode, body: { draining: true; minutes: number } | { draining: false }): Promise<void> {
    await calls.call("patchVoiceNode", { params: { node: node.id }, body });
    await load();
    say(operatorWords.value.done);
  }

  const asked = draining.value;
  const others = (nodes.value ?? []).filter((node) => node.connected && !node.draining && node.id !== asked?.id);
  return (
    <section class="section">
      <p>{nodes.value?.length === 0 ? words.noNodes : words.nodesLead}</p>
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      {nodes.value === null && task.error.value === null && <Skeleton width="100%" height="56px" />}
      <ul>
        {(nodes.value ?? []).map((node) => (
          <li class="section-row" key={node.id}>
            <Icon node={Server} />
            <div class="section-row-text">
              <span>
                {node.id}{" "}
                <span class="muted">{[node.region, node.version].filter((word) => word !== "").join(" · ")}</span>
                {node.draining && <strong> · {words.isDraining}</strong>}
                {!node.connected && <strong> · {words.isAway}</strong>}
              </span>
              <span class="field-hint">
                {[
                  words.calls(node.load.rooms),
                  words.peers(node.load.peers),
                  words.busy({ cpu: percent.value.format(node.load.cpu) }),
                  words.rate({
                    rate: megabits.value.format((node.load.bitrateIn + node.load.bitrateOut) / 1_000_000),
                  }),
                ].join(" · ")}
              </span>
            </div>
            {node.draining ? (
              <Button
                aria-label={words.undrainName({ name: node.id })}
                busy={task.busy.value}
                onClick={() => void task.run(() => set(node, { draining: false }))}
              >
                {words.undrain}
              </Button>
            ) : (
              <Button
                kind="danger-quiet"
                aria-label={words.drainName({ name: node.id })}
                onClick={() => (draining.value = node)}
              >
                {words.drain}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <div class="actions actions-start">
        <Button icon={RefreshCw} busy={task.busy.value} onClick={() => void task.run(load)}>
          {words.refresh}
        </Button>
      </div>
      {asked !== null && (
        <Confirm
          title={words.drainTitle({ name: asked.id })}
          action={words.drain}
          onConfirm={() => set(asked, { draining: true, minutes: Number(minutes.peek()) })}
          onClose={() => (draining.value = null)}
        >
          <p>{words.drainHelp}</p>
          {others.length === 0 && <Notice kind="caution">{words.drainAlone}</Notice>}
          <SelectField
            label={words.drainDeadline}
            value={minutes.value}
            options={DRAIN_MINUTES.map((value) => ({
              value,
              label: value === "0" ? words.atOnce : words.minutes(Number(value)),
            }))}
            onValue={(value) => (minutes.value = value)}
          />
        </Confirm>
      )}
    </section>
  );
}
