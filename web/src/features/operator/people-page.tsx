import type { OperatorUser } from "@lescopains/protocol/operator";
import { useSignal } from "@preact/signals";
import { agoText } from "../../app/ago-text.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Button } from "../../ui/button.tsx";
import { Choices, TextField } from "../../ui/field.tsx";
import { useOperatorCalls } from "./calls.ts";
import { Paged, usePages } from "./paged.tsx";
import { PersonDialog } from "./person-dialog.tsx";
import { operatorWords } from "./words.ts";

const KINDS = ["all", "operators", "disabled"] as const;
type Kind = (typeof KINDS)[number];

/** Everybody who has an account, and what can be done for or about them. */
export function PeoplePage() {
  const calls = useOperatorCalls();
  const words = operatorWords.value;
  const search = useSignal("");
  const kind = useSignal<Kind>("all");
  const chosen = useSignal<OperatorUser | null>(null);
  const wanted = search.value.trim();
  const only = kind.value === "all" ? undefined : kind.value;
  const pages = usePages<OperatorUser, string>(`${only ?? ""} ${wanted}`, async (after) => {
    const { users: rows, next } = await calls.call("listAccounts", {
      query: { search: wanted === "" ? undefined : wanted, only, after },
    });
    return { rows, next };
  });

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
      <Choices
        legend={words.show}
        value={kind.value}
        options={KINDS.map((value) => ({ value, label: words[`show_${value}`] }))}
        onValue={(value) => (kind.value = value)}
      />
      <Paged pages={pages} empty={words.nobody}>
        {(person) => (
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
        )}
      </Paged>
      {chosen.value !== null && (
        <PersonDialog
          person={chosen.value}
          onChanged={(now) => {
            const before = chosen.peek();
            if (before !== null) pages.replace(before, now);
            chosen.value = now;
          }}
          onClose={() => (chosen.value = null)}
        />
      )}
    </section>
  );
}
