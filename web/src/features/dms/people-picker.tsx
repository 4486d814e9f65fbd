import type { User } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import { computed, type Signal, useComputed, useSignal } from "@preact/signals";
import { Check, Search, X } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { useLive } from "../../app/client-context.ts";
import { region } from "../../app/i18n.ts";
import { statusWords } from "../../app/status-words.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Skeleton } from "../../ui/notice.tsx";
import { useRoving } from "../../ui/roving.ts";
import { contactsIn, matching } from "./model.ts";
import "./picker.css";
import { dmWords } from "./words.ts";

/** Rows drawn at once; who is further down is found by name. */
const SHOWN = 60;

const collator = computed(() => new Intl.Collator(region.value, { sensitivity: "base", numeric: true }));

interface PeoplePickerProps {
  /** In the order of choosing. */
  readonly chosen: Signal<readonly User[]>;
  /** Those already in the conversation. */
  readonly without: readonly UserId[];
  /** How many may be chosen. */
  readonly most: number;
  /** Enter in an empty field, with somebody chosen. */
  readonly onEnter: () => void;
}

/** Everybody one may write to: one's friends, and the members of one's places, loaded while a picker is open. */
function useContacts() {
  const live = useLive();
  const servers = live.servers.value;
  const ids = servers.map(({ id }) => id).join();
  useEffect(() => {
    const leave = live.servers.peek().map(({ id }) => live.openServer(id));
    return () => {
      for (const close of leave) close();
    };
  }, [live, ids]);
  return useComputed(() => {
    const lists = live.servers.value.map(({ id }) => live.members(id).value);
    return {
      people: contactsIn(
        [...lists.map(({ members }) => members.map(({ user }) => user)), live.friends.value.friends],
        live.self.value.id,
      ),
      loading: !live.ready.value || lists.some(({ complete, error }) => !complete && error === undefined),
    };
  });
}

/** Chooses people by name: type to find, Enter takes the first, arrows and Space any other. */
export function PeoplePicker({ chosen, without, most, onEnter }: PeoplePickerProps) {
  const words = dmWords.value;
  const query = useSignal("");
  const list = useRef<HTMLUListElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const contacts = useContacts();
  useRoving(list);

  const { people, loading } = contacts.value;
  const order = collator.value;
  const free = people.filter(({ id }) => !without.includes(id));
  const found = matching(free, query.value, order).slice(0, SHOWN);
  const picked = chosen.value;
  const full = picked.length >= most;

  function toggle(person: User): void {
    const has = picked.some(({ id }) => id === person.id);
    if (!has && full) return;
    chosen.value = has ? picked.filter(({ id }) => id !== person.id) : [...picked, person];
  }

  function onKeyDown(event: KeyboardEvent): void {
    const first = found.find(({ id }) => !picked.some((person) => person.id === id));
    if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      if (query.value.trim() === "") {
        if (picked.length > 0) onEnter();
      } else if (first !== undefined) {
        toggle(first);
        query.value = "";
      }
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      list.current?.querySelector<HTMLElement>("[data-roving]")?.focus();
    } else if (event.key === "Backspace" && query.value === "" && picked.length > 0) {
      chosen.value = picked.slice(0, -1);
    }
  }

  return (
    <div class="picker">
      <div class="picker-field">
        <Icon node={Search} size={18} />
        {picked.map((person) => (
          <button
            key={person.id}
            type="button"
            class="picker-chip"
            aria-label={words.unpick({ name: person.displayName })}
            onClick={() => {
              toggle(person);
              field.current?.focus();
            }}
          >
            <span class="one-line">{person.displayName}</span>
            <Icon node={X} size={14} />
          </button>
        ))}
        <input
          ref={field}
          type="text"
          aria-label={words.pickSearch}
          placeholder={picked.length === 0 ? words.pickSearch : ""}
          autocomplete="off"
          spellcheck={false}
          data-autofocus
          autofocus
          value={query.value}
          onInput={(event) => {
            query.value = event.currentTarget.value;
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <p class="aside-text" role="status">
        {picked.length > 0 && words.picked(picked.length)}
      </p>
      {full && <p class="picker-note">{words.full(most + 1)}</p>}
      {found.length === 0 && loading && <PickerSkeleton />}
      {found.length === 0 && !loading && free.length > 0 && (
        <p class="picker-note" role="status">
          {words.pickNone}
        </p>
      )}
      <ul class="picker-list" ref={list} aria-label={words.pickPeople}>
        {found.map((person) => (
          <li key={person.id}>
            <PersonRow
              person={person}
              checked={picked.some(({ id }) => id === person.id)}
              disabled={full}
              onToggle={() => toggle(person)}
            />
          </li>
        ))}
      </ul>
    </div>
  );
}

interface PersonRowProps {
  readonly person: User;
  readonly checked: boolean;
  readonly disabled: boolean;
  readonly onToggle: () => void;
}

function PersonRow({ person, checked, disabled, onToggle }: PersonRowProps) {
  const live = useLive();
  const { status } = live.presence(person.id).value;
  return (
    <button
      type="button"
      class="picker-row"
      role="checkbox"
      aria-checked={checked}
      aria-disabled={disabled && !checked}
      data-roving=""
      onClick={onToggle}
    >
      <Avatar id={person.id} name={person.displayName} side={34} status={status === "offline" ? undefined : status} />
      <span class="picker-text">
        <span class="one-line">
          {person.displayName}
          <span class="aside-text">, {statusWords.value[status]}</span>
        </span>
        <span class="picker-sub one-line">@{person.username}</span>
      </span>
      <span class="picker-mark" aria-hidden="true">
        {checked && <Icon node={Check} size={16} />}
      </span>
    </button>
  );
}

const WIDTHS = ["44%", "58%", "36%", "50%"];

function PickerSkeleton() {
  return (
    <div class="picker-skeleton" role="status">
      <span class="aside-text">{dmWords.value.pickLoading}</span>
      {WIDTHS.map((width) => (
        <div key={width}>
          <Skeleton width="34px" height="34px" />
          <Skeleton width={width} height="14px" />
        </div>
      ))}
    </div>
  );
}
