import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

/** Where a key moves the focus among `count` items from `index`; undefined when the key is not one that moves. */
export function rovingTarget(
  key: string,
  index: number,
  count: number,
  axis: "vertical" | "horizontal",
): number | undefined {
  if (count === 0) return undefined;
  const [back, forward] = axis === "vertical" ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
  if (key === forward) return Math.min(index + 1, count - 1);
  if (key === back) return Math.max(index - 1, 0);
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return undefined;
}

function itemsOf(list: HTMLElement): HTMLElement[] {
  return [...list.querySelectorAll<HTMLElement>("[data-roving]")];
}

/**
 * Makes a list one stop of the Tab key: arrows, Home and End move among its `[data-roving]` elements.
 * Coming in, one lands on the current item, else on the one that had the focus last, else on the first; when a focused
 * item goes, its neighbour takes the focus, so that it is never lost.
 */
export function useRoving(ref: RefObject<HTMLElement | null>, axis: "vertical" | "horizontal" = "vertical"): void {
  useLayoutEffect(() => {
    const list = ref.current;
    if (list === null) return;
    const items = itemsOf(list);
    const stop =
      items.find((item) => item === document.activeElement) ??
      items.find((item) => item.matches("[aria-current], [aria-selected=true]")) ??
      items.find((item) => item.dataset["roving"] === "last") ??
      items[0];
    for (const item of items) item.tabIndex = item === stop ? 0 : -1;
  });

  useLayoutEffect(() => {
    const list = ref.current;
    if (list === null) return undefined;
    const ending = new AbortController();
    let lastIndex = 0;
    let holdsFocus = false;

    list.addEventListener(
      "focusin",
      (event) => {
        const items = itemsOf(list);
        const index = items.findIndex((item) => item === event.target);
        holdsFocus = index !== -1;
        if (!holdsFocus) return;
        lastIndex = index;
        for (const item of items) {
          item.tabIndex = item === event.target ? 0 : -1;
          item.dataset["roving"] = item === event.target ? "last" : "";
        }
      },
      { signal: ending.signal },
    );
    list.addEventListener(
      "focusout",
      (event) => {
        // An element that is taken out of the page blurs without a next one; that is told apart below.
        if (event.relatedTarget !== null) holdsFocus = false;
      },
      { signal: ending.signal },
    );
    list.addEventListener(
      "keydown",
      (event) => {
        const items = itemsOf(list);
        const index = items.findIndex((item) => item === document.activeElement);
        if (index === -1 || event.ctrlKey || event.metaKey || event.altKey) return;
        const target = rovingTarget(event.key, index, items.length, axis);
        if (target === undefined) return;
        event.preventDefault();
        items[target]?.focus();
      },
      { signal: ending.signal },
    );
    const watch = new MutationObserver(() => {
      if (!holdsFocus || (document.activeElement !== null && document.activeElement !== document.body)) return;
      const items = itemsOf(list);
      items[Math.min(lastIndex, items.length - 1)]?.focus();
    });
    watch.observe(list, { childList: true, subtree: true });
    return () => {
      ending.abort();
      watch.disconnect();
    };
  }, [ref, axis]);
}
