import { Check, type IconNode } from "lucide";
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icon.tsx";
import "./menu.css";
import { placeBy } from "./place.ts";
import { rovingTarget } from "./roving.ts";

/** One line of a menu; `null` draws a line between groups. */
export type MenuItem = {
  readonly label: string;
  readonly icon?: IconNode;
  readonly danger?: boolean;
  /** Given for one of several choices: whether it is the present one. */
  readonly checked?: boolean;
  readonly onSelect: () => void;
} | null;

/** One of a row of small things at the head of a menu, each drawn as a sign. */
export interface QuickItem {
  readonly label: string;
  readonly sign: ComponentChildren;
  /** Given for what is on or off. */
  readonly checked?: boolean;
  readonly onSelect: () => void;
}

interface TriggerProps {
  readonly ref: (element: HTMLButtonElement | null) => void;
  readonly "aria-haspopup": "menu";
  readonly "aria-expanded": boolean;
  readonly "aria-controls": string;
  readonly onClick: () => void;
}

interface MenuProps {
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly quick?: readonly QuickItem[];
  /** Draws the button that opens it; spread the given props on a `<button>`. */
  readonly trigger: (props: TriggerProps) => ComponentChildren;
}

function itemsOf(menu: HTMLElement, selector: string): HTMLElement[] {
  return [...menu.querySelectorAll<HTMLElement>(selector)];
}

/** Where a key leads: sideways in the row at the head, up and down in the list and between the two, by letter in the list. */
function targetOf(key: string, row: readonly HTMLElement[], list: readonly HTMLElement[]): HTMLElement | undefined {
  const isFocused = (one: HTMLElement): boolean => one === document.activeElement;
  const [inRow, index] = [row.findIndex(isFocused), list.findIndex(isFocused)];
  if (inRow !== -1) {
    if (key === "ArrowDown") return list[0];
    return row[rovingTarget(key, inRow, row.length, "horizontal") ?? -1];
  }
  if (key === "ArrowUp" && index === 0 && row.length > 0) return row[0];
  const letter = key.length === 1 ? key.toLowerCase().trim() : "";
  const byLetter =
    letter === ""
      ? undefined
      : [...list.slice(index + 1), ...list.slice(0, index + 1)].find((entry) =>
          entry.textContent.toLowerCase().startsWith(letter),
        );
  return byLetter ?? list[rovingTarget(key, index, list.length, "vertical") ?? -1];
}

/** A button with a menu: the popover layer of the platform, arrows, Home, End and first letters by us. */
export function Menu({ label, items, quick = [], trigger }: MenuProps) {
  const id = useId();
  /** Which opening this is; 0 while it is closed. Opened again before the last closing was drawn, it is another one. */
  const [opening, setOpening] = useState(0);
  const openings = useRef(0);
  const menuRef = useRef<HTMLDivElement>(null);
  const triggerRef = useRef<HTMLButtonElement | null>(null);

  useLayoutEffect(() => {
    const menu = menuRef.current;
    if (menu === null || opening === 0) return;
    menu.showPopover();
    if (triggerRef.current !== null) placeBy(menu, triggerRef.current.getBoundingClientRect());
    menu.querySelector<HTMLElement>(".menu-item")?.focus();
  }, [opening]);

  function close(): void {
    if (menuRef.current?.matches(":popover-open") === true) menuRef.current.hidePopover();
    triggerRef.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent): void {
    const menu = menuRef.current;
    if (menu === null) return;
    const target = targetOf(event.key, itemsOf(menu, ".menu-quick-item"), itemsOf(menu, ".menu-item"));
    if (event.key === "Tab") close();
    if (target === undefined) return;
    event.preventDefault();
    target.focus();
  }

  return (
    <>
      {trigger({
        ref: (element) => {
          triggerRef.current = element;
        },
        "aria-haspopup": "menu",
        "aria-expanded": opening > 0,
        "aria-controls": id,
        onClick: () => {
          if (menuRef.current?.matches(":popover-open") === true) menuRef.current.hidePopover();
          else setOpening((openings.current += 1));
        },
      })}
      <div
        ref={menuRef}
        id={id}
        class="menu"
        role="menu"
        aria-label={label}
        popover="auto"
        onBeforeToggle={(event) => {
          if (event.newState !== "closed") return;
          // The items go with the closing, before the platform could give the focus back from them.
          if (event.currentTarget.contains(document.activeElement)) triggerRef.current?.focus();
          setOpening(0);
        }}
        onKeyDown={onKeyDown}
      >
        {opening > 0 && quick.length > 0 && (
          <div class="menu-quick" role="group">
            {quick.map(({ label: name, sign, checked, onSelect }) => (
              <button
                key={name}
                type="button"
                class="menu-quick-item"
                role={checked === undefined ? "menuitem" : "menuitemcheckbox"}
                {...(checked === undefined ? {} : { "aria-checked": checked })}
                aria-label={name}
                tabIndex={-1}
                onClick={() => {
                  close();
                  onSelect();
                }}
              >
                {sign}
              </button>
            ))}
          </div>
        )}
        {opening > 0 &&
          items.map((item, index) =>
            item === null ? (
              <div key={`line-${index}`} class="menu-line" role="separator" />
            ) : (
              <button
                key={item.label}
                type="button"
                class={`menu-item${item.danger === true ? " menu-item-danger" : ""}`}
                role={item.checked === undefined ? "menuitem" : "menuitemradio"}
                {...(item.checked === undefined ? {} : { "aria-checked": item.checked })}
                tabIndex={-1}
                onClick={() => {
                  close();
                  item.onSelect();
                }}
              >
                {item.icon && <Icon node={item.icon} size={18} />}
                <span class="menu-item-text one-line">{item.label}</span>
                {item.checked === true && (
                  <span class="menu-item-check">
                    <Icon node={Check} size={18} />
                  </span>
                )}
              </button>
            ),
          )}
      </div>
    </>
  );
}
