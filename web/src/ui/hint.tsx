import { useEffect, useRef } from "preact/hooks";
import "./hint.css";

const SHOW_AFTER_MS = 350;
const GAP_PX = 8;

/** Where a hint goes: beside its element when `data-hint-side` says so, else under it, or above when there is no room. */
function place(bubble: HTMLElement, target: Element): void {
  const box = target.getBoundingClientRect();
  const { width, height } = bubble.getBoundingClientRect();
  const beside = target.getAttribute("data-hint-side") === "right";
  const below = box.bottom + GAP_PX + height < innerHeight;
  const left = beside ? box.right + GAP_PX : box.left + (box.width - width) / 2;
  const top = beside ? box.top + (box.height - height) / 2 : below ? box.bottom + GAP_PX : box.top - GAP_PX - height;
  bubble.style.left = `${Math.max(GAP_PX, Math.min(left, innerWidth - width - GAP_PX))}px`;
  bubble.style.top = `${Math.max(GAP_PX, top)}px`;
}

/**
 * One bubble for every element with `data-hint`, in the top layer so that no scrolling list cuts it off.
 * It repeats the element's accessible name for those who see it, so it is hidden from screen readers.
 */
export function HintLayer() {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const bubble = ref.current;
    if (bubble === null) return undefined;
    const ending = new AbortController();
    const { signal } = ending;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let current: Element | null = null;

    function hide(): void {
      clearTimeout(timer);
      current = null;
      if (bubble?.matches(":popover-open") === true) bubble.hidePopover();
    }
    function show(target: Element): void {
      hide();
      current = target;
      timer = setTimeout(() => {
        if (bubble === null || !target.isConnected) return;
        bubble.textContent = target.getAttribute("data-hint");
        bubble.showPopover();
        place(bubble, target);
      }, SHOW_AFTER_MS);
    }
    function hinted(event: Event): Element | null {
      return event.target instanceof Element ? event.target.closest("[data-hint]") : null;
    }

    document.addEventListener(
      "pointerover",
      (event) => {
        const target = hinted(event);
        if (event.pointerType !== "mouse" || target === current) return;
        if (target === null) hide();
        else show(target);
      },
      { signal },
    );
    document.addEventListener(
      "focusin",
      (event) => {
        const target = hinted(event);
        if (target?.matches(":focus-visible") === true) show(target);
        else hide();
      },
      { signal },
    );
    for (const name of ["pointerdown", "keydown", "focusout", "scroll"]) {
      document.addEventListener(name, hide, { signal, capture: true, passive: true });
    }
    return () => {
      ending.abort();
      hide();
    };
  }, []);
  return <div ref={ref} class="hint-bubble" popover="manual" aria-hidden="true" />;
}
