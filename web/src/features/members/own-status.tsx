import type { Status, StatusChoice } from "@lescopains/protocol/entities";
import { LIMITS } from "@lescopains/protocol/limits";
import { useSignal } from "@preact/signals";
import { BellOff, Circle, EyeOff, Moon, type IconNode, PencilLine, Settings } from "lucide";
import { useLive } from "../../app/client-context.ts";
import { href } from "../../app/route.ts";
import { appWords } from "../../app/words.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { TextField } from "../../ui/field.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Menu, type MenuItem } from "../../ui/menu.tsx";
import "./panel.css";
import { memberWords } from "./words.ts";

const CHOICES = ["online", "idle", "dnd", "invisible"] as const;
const ICONS: Readonly<Record<StatusChoice, IconNode>> = { online: Circle, idle: Moon, dnd: BellOff, invisible: EyeOff };
const WORD = {
  online: "statusOnline",
  idle: "statusIdle",
  dnd: "statusDnd",
  invisible: "statusInvisible",
} as const;

/** Oneself at the foot of the channel column: status, what one is up to, and the way to the settings. */
export function OwnStatus() {
  const live = useLive();
  const words = memberWords.value;
  const self = live.self.value;
  const { status, customStatus } = live.ownStatus.value;
  const editing = useSignal(false);
  const shown: Status = status === "invisible" ? "offline" : status;

  const items: MenuItem[] = [
    ...CHOICES.map((choice) => ({
      label: words[WORD[choice]],
      icon: ICONS[choice],
      checked: choice === status,
      onSelect: () => live.setStatus(choice, customStatus),
    })),
    null,
    { label: words.customStatusSet, icon: PencilLine, onSelect: () => (editing.value = true) },
  ];

  return (
    <section class="own" aria-label={words.yourself}>
      <Menu
        label={words.statusMenu}
        items={items}
        trigger={(props) => (
          <button {...props} type="button" class="own-button">
            <Avatar id={self.id} name={self.displayName} side={34} status={shown} />
            <span class="member-text">
              <span class="one-line">{self.displayName}</span>
              <span class="member-sub one-line">{customStatus ?? words[WORD[status]]}</span>
              <span class="aside-text">
                {customStatus !== null && `, ${words[WORD[status]]}`}. {words.changeStatus}
              </span>
            </span>
          </button>
        )}
      />
      <a
        class="icon-button"
        href={href({ name: "settings", page: null })}
        aria-label={words.settings}
        data-hint={words.settings}
      >
        <Icon node={Settings} />
      </a>
      {editing.value && <CustomStatusDialog onClose={() => (editing.value = false)} />}
    </section>
  );
}

function CustomStatusDialog({ onClose }: { readonly onClose: () => void }) {
  const live = useLive();
  const words = memberWords.value;
  const { status, customStatus } = live.ownStatus.value;
  const text = useSignal(customStatus ?? "");

  function set(next: string | null): void {
    live.setStatus(status, next);
    onClose();
  }

  return (
    <Dialog title={words.customStatus} closeLabel={appWords.value.close} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          const trimmed = text.value.trim();
          set(trimmed === "" ? null : trimmed);
        }}
      >
        <TextField
          label={words.customStatus}
          hint={words.customStatusHint}
          maxLength={LIMITS.customStatusMax}
          autocomplete="off"
          autofocus
          value={text.value}
          onValue={(next) => (text.value = next)}
        />
        <div class="actions">
          {customStatus !== null && (
            <Button kind="quiet" onClick={() => set(null)}>
              {words.customStatusClear}
            </Button>
          )}
          <Button kind="primary" type="submit">
            {appWords.value.save}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
