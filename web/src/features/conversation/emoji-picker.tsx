import type { Message } from "@lescopains/protocol/entities";
import { useComputed, useSignal } from "@preact/signals";
import { RotateCw, Search } from "lucide";
import { Component } from "preact";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { language } from "../../app/i18n.ts";
import { narrow } from "../../app/narrow.ts";
import { reacted, reactionsShown } from "../../sync/reacting.ts";
import { Icon } from "../../ui/icon.tsx";
import { Skeleton } from "../../ui/notice.tsx";
import { placeBy } from "../../ui/place.ts";
import { emojiIn, movedIndex, type NamedEmoji, recentEmoji, searchEmoji } from "./emoji.ts";
import "./emoji-picker.css";
import { type Room, toggleReaction } from "./room.ts";
import { conversationWords } from "./words.ts";

/** As in emoji-picker.css. */
const COLUMNS = 8;
const GROUPS = [0, 1, 3, 4, 5, 6, 7, 8, 9] as const;
const RECENT_SHOWN = 2 * COLUMNS;

interface Section {
  readonly key: string;
  readonly title: string;
  readonly emoji: readonly Pick<NamedEmoji, "emoji" | "name">[];
}

interface EmojiPickerProps {
  readonly room: Room;
  readonly message: Message;
  /** Where on the screen it stands by; on a phone it comes up from the lower edge. */
  readonly box: DOMRect;
}

/** Chooses an emoji to react with: type to find, arrows to move, Enter or a press to take. */
export function EmojiPicker({ room, message, box }: EmojiPickerProps) {
  const words = conversationWords.value;
  const id = useId();
  const popover = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const query = useSignal("");
  const active = useSignal(0);
  const all = useSignal<readonly NamedEmoji[] | "failed" | undefined>(undefined);
  // Those at hand when it was opened: they don't move under the pointer.
  const recent = useRef(recentEmoji.peek().slice(0, RECENT_SHOWN));
  const selfId = room.live.self.value.id;
  const shown = reactionsShown(message, room.conversation.wishes.value, selfId);

  async function load(): Promise<void> {
    all.value = undefined;
    try {
      all.value = await emojiIn(language.peek());
    } catch {
      all.value = "failed";
    }
  }

  useLayoutEffect(() => {
    const element = popover.current;
    if (element === null) return undefined;
    const before = document.activeElement;
    element.showPopover();
    if (!narrow.peek()) placeBy(element, box);
    // On a phone the keyboard would cover what is most often wanted: it comes when the field is touched.
    (matchMedia("(pointer: coarse)").matches ? element : field.current)?.focus();
    void load();
    return () => {
      const inside = document.activeElement === document.body || element.contains(document.activeElement);
      if (!inside) return;
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
      else room.composer.focus();
    };
  }, []);

  const sections = useComputed(() => sectionsOf(all.value, query.value, recent.current)).value;
  const flat = sections.flatMap(({ emoji }) => emoji);
  const index = Math.min(active.value, flat.length - 1);
  const optionId = (at: number): string => `${id}-${at}`;

  useEffect(() => {
    document.getElementById(optionId(index))?.scrollIntoView({ block: "nearest" });
  }, [index, query.value]);

  function close(): void {
    room.picking.value = null;
  }

  function take(emoji: string): void {
    close();
    void toggleReaction(room, message, emoji);
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const chosen = flat[index];
    if (event.key === "Enter" && chosen !== undefined) {
      event.preventDefault();
      take(chosen.emoji);
      return;
    }
    const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
    // While words are typed, sideways moves among their letters.
    if (sideways && query.value !== "" && active.value === 0) return;
    const lengths = sections.map(({ emoji }) => emoji.length);
    const next = movedIndex(lengths, COLUMNS, index, event.key);
    if (next === undefined) return;
    event.preventDefault();
    active.value = next;
  }

  let first = 0;
  return (
    <div
      ref={popover}
      class="emoji-picker"
      role="dialog"
      aria-label={words.react}
      popover="auto"
      tabIndex={-1}
      onBeforeToggle={(event) => {
        if (event.newState === "closed") close();
      }}
      onKeyDown={onKeyDown}
    >
      <div class="emoji-picker-field">
        <Icon node={Search} size={18} />
        <input
          ref={field}
          type="text"
          role="combobox"
          aria-expanded="true"
          aria-autocomplete="list"
          aria-controls={`${id}-list`}
          {...(flat.length > 0 ? { "aria-activedescendant": optionId(index) } : {})}
          aria-label={words.emojiSearch}
          placeholder={words.emojiSearch}
          autocomplete="off"
          spellcheck={false}
          value={query.value}
          onInput={(event) => {
            query.value = event.currentTarget.value;
            active.value = 0;
          }}
        />
      </div>
      <p class="aside-text" role="status">
        {query.value !== "" && (flat.length > 0 ? words.emojiFound(flat.length) : words.emojiNone)}
      </p>
      <div id={`${id}-list`} class="emoji-picker-list" role="listbox" aria-label={words.react}>
        {sections.map(({ key, title, emoji }) => {
          const start = first;
          first += emoji.length;
          return (
            <EmojiSection
              key={key}
              title={title}
              emoji={emoji}
              own={emoji
                .filter((one) => reacted(shown, one.emoji, selfId))
                .map((one) => one.emoji)
                .join(" ")}
              activeAt={index >= start && index < first ? index - start : -1}
              optionId={(at) => optionId(start + at)}
              take={take}
            />
          );
        })}
      </div>
      {all.value === undefined && <Skeleton width="60%" height="14px" />}
      {query.value !== "" && flat.length === 0 && all.value !== "failed" && (
        <p class="emoji-picker-none">{words.emojiNone}</p>
      )}
      {all.value === "failed" && (
        <p class="emoji-picker-none" role="alert">
          {words.emojiFailed}{" "}
          <button type="button" class="text-button" onClick={() => void load()}>
            <Icon node={RotateCw} size={14} /> {words.tryAgain}
          </button>
        </p>
      )}
    </div>
  );
}

/** What is shown: with nothing typed what was used last and every group, otherwise what was found. */
function sectionsOf(
  loaded: readonly NamedEmoji[] | "failed" | undefined,
  query: string,
  recent: readonly string[],
): readonly Section[] {
  const words = conversationWords.value;
  const all = Array.isArray(loaded) ? (loaded as readonly NamedEmoji[]) : [];
  if (query.trim() !== "") {
    const found = searchEmoji(all, query);
    return found.length === 0 ? [] : [{ key: "found", title: "", emoji: found }];
  }
  const names = new Map(all.map(({ emoji, name }) => [emoji, name]));
  return [
    {
      key: "recent",
      title: words.emojiRecent,
      emoji: recent.map((emoji) => ({ emoji, name: names.get(emoji) ?? emoji })),
    },
    ...GROUPS.map((group) => ({
      key: String(group),
      title: words[`emojiGroup${group}`],
      emoji: all.filter((one) => one.group === group),
    })).filter(({ emoji }) => emoji.length > 0),
  ];
}

interface EmojiSectionProps {
  readonly title: string;
  readonly emoji: Section["emoji"];
  /** Those that the reader has reacted with, as one string. */
  readonly own: string;
  /** Which one Enter takes; -1: none of these. */
  readonly activeAt: number;
  readonly optionId: (at: number) => string;
  readonly take: (emoji: string) => void;
}

/** A section, drawn anew only when it shows something else: there are 1,900 emoji, and an arrow moves between two. */
class EmojiSection extends Component<EmojiSectionProps> {
  override shouldComponentUpdate(next: EmojiSectionProps): boolean {
    const { title, emoji, own, activeAt } = this.props;
    return next.title !== title || next.emoji !== emoji || next.own !== own || next.activeAt !== activeAt;
  }

  override render({ title, emoji, own, activeAt, optionId, take }: EmojiSectionProps) {
    const mine = new Set(own.split(" "));
    return (
      <div
        class="emoji-section"
        role="group"
        aria-label={title === "" ? conversationWords.value.emojiSearch : title}
        style={{ "--rows": Math.ceil(emoji.length / COLUMNS) }}
      >
        {title !== "" && (
          <p class="emoji-section-title" aria-hidden="true">
            {title}
          </p>
        )}
        <div class="emoji-grid" role="presentation">
          {emoji.map((one, at) => (
            <button
              key={one.emoji}
              id={optionId(at)}
              type="button"
              class="emoji-option emoji"
              role="option"
              aria-label={one.name}
              aria-selected={mine.has(one.emoji)}
              data-active={at === activeAt}
              data-hint={one.name}
              tabIndex={-1}
              onClick={() => take(one.emoji)}
            >
              {one.emoji}
            </button>
          ))}
        </div>
      </div>
    );
  }
}
