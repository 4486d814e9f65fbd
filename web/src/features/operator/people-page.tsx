import type { OperatorUser } from "@lescopains/protocol/operator";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { agoText } from "../../app/ago-text.ts";
import { errorText } from "../../app/errors.ts";
import { useTask } from "../../app/task.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Button } from "../../ui/button.tsx";
import { TextField } from "../../ui/field.tsx";
import { Notice, Skeleton } from "../../ui/notice.tsx";
import { useOperatorCalls } from "./calls.ts";
import { PersonDialog } from "./person-dialog.tsx";
import { operatorWords } from "./words.ts";

/** Typing is a search once it has stopped for this long, in milliseconds. */
const PAUSE_MS = 300;

/** Everybody who has an account, and what can be done for or about them. */
export function PeoplePage() {
  const calls = useOperatorCalls();
  const words = operatorWords.value;
  const task = useTask();
  const search = useSignal("");
  const people = useSignal<readonly OperatorUser[] | null>(null);
  const next = useSignal<string | null>(null);
  const chosen = useSignal<OperatorUser | null>(null);

  async function load(after?: string): Promise<void> {
    const wanted = search.peek().trim();
    const query = { ...(wanted === "" ? {} : { search: wanted }), ...(after === undefined ? {} : { after }) };
    const page = await calls.call("listAccounts", { query });
    // Typed meanwhile: that is what is wanted now.
    if (search.peek().trim() !== wanted) return load();
    people.value = after === undefined ? page.users : [...(people.peek() ?? []), ...page.users];
    next.value = page.next;
  }
  useEffect(() => {
    const pause = setTimeout(() => void task.run(() => load()), people.peek() === null ? 0 : PAUSE_MS);
    return () => clearTimeout(pause);
  }, [calls, search.value]);

  function changed(id: OperatorUser["id"], now: OperatorUser | null): void {
    people.value = (people.peek() ?? []).flatMap((one) => (one.id !== id ? [one] : now === null ? [] : [now]));
    chosen.value = now;
  }

  return (
    <section class="section">
      <TextField
        label={words.search}
        hint={words.searchHint}
        type="search"
        autocapitalize="none"
        spellcheck={false}
        value={search.value}
        onValue={(text) => (search.value = text)}
      />
      {task.error.value !== null && <Notice kind="danger">{errorText(task.error.value)}</Notice>}
      {people.value === null && task.error.value === null && <Skeleton width="100%" height="56px" />}
      <p class="muted" role="status">
        {people.value?.length === 0 ? words.nobody : ""}
      </p>
      <ul>
        {(people.value ?? []).map((person) => (
          <li class="section-row" key={person.id}>
            <Avatar id={person.id} name={person.displayName} side={36} />
            <div class="section-row-text">
              <span>
                {person.displayName} <span class="muted">@{person.username}</span>
                {person.operator && <strong> · {words.isOperator}</strong>}
                {person.disabled && <strong> · {words.isDisabled}</strong>}
              </span>
              <span class="field-hint">
                {person.lastUsedAt === null ? words.nowhere : words.lastSeen({ when: agoText(person.lastUsedAt) })}
              </span>
            </div>
            <Button aria-label={words.openName({ name: person.displayName })} onClick={() => (chosen.value = person)}>
              {words.open}
            </Button>
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
      {chosen.value !== null && (
        <PersonDialog
          person={chosen.value}
          onChanged={(now) => changed(chosen.peek()?.id ?? now?.id ?? ("" as OperatorUser["id"]), now)}
          onClose={() => (chosen.value = null)}
        />
      )}
    </section>
  );
}
