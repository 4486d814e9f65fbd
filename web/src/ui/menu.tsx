import { Check, type IconNode } from "lucide";
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icon.tsx";
import "./menu.css";
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
  /** Draws the button that opens it; spread the given props on a `<button>`. */
  readonly trigger: (props: TriggerProps) => ComponentChildren;
}

const MARGIN_PX = 8;

function place(menu: HTMLElement, trigger: HTMLElement): void {
  const box = trigger.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const fitsBelow = box.bottom + height + MARGIN_PX < innerHeight;
  const top = fitsBelow ? box.bottom + 4 : Math.max(MARGIN_PX, box.top - height - 4);
  const left = box.left + width + MARGIN_PX < innerWidth ? box.left : box.right - width;
  menu.style.top = `${top}px`;
  menu.style.left = `${Math.max(MARGIN_PX, left)}px`;
}

/** A button with a menu: the popover layer of the platform, arrows, Home, End and first letters by us. */
export function Menu({ label, items, trigger }: MenuProps) {
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
    if (triggerRef.current !== null) place(menu, triggerRef.current);
    menu.querySelector<HTMLElement>("[role^=menuitem]")?.focus();
  }, [opening]);

  function close(): void {
    if (menuRef.current?.matches(":popover-open") === true) menuRef.current.hidePopover();
    triggerRef.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent): void {
    const menu = menuRef.current;
    if (menu === null) return;
    const entries = [...menu.querySelectorAll<HTMLElement>("[role^=menuitem]")];
    const index = entries.findIndex((entry) => entry === document.activeElement);
    const letter = event.key.length === 1 ? event.key.toLowerCase() : "";
    const byLetter =
      letter.trim() === ""
        ? undefined
        : [...entries.slice(index + 1), ...entries.slice(0, index + 1)].find((entry) =>
            entry.textContent.toLowerCase().startsWith(letter),
          );
    const target = byLetter ?? entries[rovingTarget(event.key, index, entries.length, "vertical") ?? -1];
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
