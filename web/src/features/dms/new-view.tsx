import type { User } from "@lescopains/protocol/entities";
import { LIMITS } from "@lescopains/protocol/limits";
import { useSignal } from "@preact/signals";
import { UsersRound } from "lucide";
import { useClient, useLive } from "../../app/client-context.ts";
import { errorText } from "../../app/errors.ts";
import { href } from "../../app/route.ts";
import { useTask } from "../../app/task.ts";
import { useTitle } from "../../app/title.ts";
import { writeTo } from "../../app/write-to.ts";
import { Button } from "../../ui/button.tsx";
import { Empty, Notice } from "../../ui/notice.tsx";
import { PeoplePicker } from "./people-picker.tsx";
import { dmWords } from "./words.ts";
import "./new-view.css";

/** Whom to write to: one person, or several for a group. */
export function NewDmView() {
  const client = useClient();
  const live = useLive();
  const words = dmWords.value;
  const task = useTask();
  const chosen = useSignal<readonly User[]>([]);
  useTitle(words.start);
  const count = chosen.value.length;

  function open(): void {
    void task.run(() =>
      writeTo(
        client,
        live,
        chosen.peek().map(({ id }) => id),
      ),
    );
  }

  const alone =
    live.ready.value &&
    live.friends.value.friends.length === 0 &&
    live.servers.value.every(({ memberCount }) => memberCount <= 1);
  if (alone) {
    return (
      <Empty icon={UsersRound} title={words.pickNobody} level={1}>
        <p>{words.pickNobodyHelp}</p>
        <a class="button button-primary" href={href({ name: "new" })}>
          {words.pickNobodyAction}
        </a>
      </Empty>
    );
  }
  return (
    <div class="new-dm">
      <div class="new-dm-content">
        <header>
          <h1 tabIndex={-1}>{words.pickTitle}</h1>
          <p class="new-dm-lead">{words.pickHelp}</p>
        </header>
        {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
        <PeoplePicker chosen={chosen} without={[]} most={LIMITS.dmPeople - 1} onEnter={open} />
      </div>
      <div class="new-dm-foot">
        <Button kind="primary" disabled={count === 0} busy={task.busy.value} onClick={open}>
          {count > 1 ? words.makeGroup : words.write}
        </Button>
      </div>
    </div>
  );
}
