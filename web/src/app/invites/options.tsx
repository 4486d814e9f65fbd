import type { Signal } from "@preact/signals";
import { SelectField } from "../../ui/field.tsx";
import "./invites.css";
import { LIFETIMES, type Lifetime, USES, type Uses } from "./model.ts";
import { inviteListWords } from "./words.ts";

interface InviteOptionsProps {
  readonly lifetime: Signal<Lifetime>;
  readonly uses: Signal<Uses>;
}

/** How long the next invite works, and for how many people. */
export function InviteOptions({ lifetime, uses }: InviteOptionsProps) {
  const words = inviteListWords.value;
  return (
    <div class="invite-options" role="group" aria-label={words.options}>
      <SelectField
        label={words.expires}
        value={lifetime.value}
        options={LIFETIMES.map((value) => ({ value, label: words[value] }))}
        onValue={(value) => (lifetime.value = value)}
      />
      <SelectField
        label={words.uses}
        value={uses.value}
        options={USES.map((value) => ({
          value,
          label: value === "any" ? words.anyUses : words.usesCount(Number(value)),
        }))}
        onValue={(value) => (uses.value = value)}
      />
    </div>
  );
}
