import { useEffect, useRef } from "preact/hooks";

/** The view's content; on small screens a panel takes the part of `<main>`. */
const MAIN = "main:not([hidden]), [role=main]";

/**
 * After a change of view, moves the focus to what the view is for: its `[data-autofocus]` element where there is a
 * keyboard (on a phone it would push up the on-screen one), else its heading, so that a screen reader says where one is.
 * A view still loading gets it when it comes.
 */
export function useViewFocus(view: string): void {
  const first = useRef(true);
  useEffect(() => {
    const isFirst = first.current;
    first.current = false;
    const keyboard = matchMedia("(hover: hover)").matches;
    const ending = new AbortController();
    let heading: HTMLElement | null = null;

    function settle(): void {
      const wanted = keyboard ? document.querySelector<HTMLElement>(`:is(${MAIN}) [data-autofocus]`) : null;
      // A part of the view that comes later may still be what it is for, unless the person has moved on meanwhile.
      const unmoved = document.activeElement === document.body || document.activeElement === heading;
      if (wanted !== null) {
        if (heading === null || unmoved) wanted.focus({ preventScroll: true });
        ending.abort();
      } else if (heading === null && !isFirst) {
        // On arrival the page begins at its top by itself; only a field to type into is worth moving to.
        heading = document.querySelector<HTMLElement>(`:is(${MAIN}) h1`);
        if (heading === null) return;
        heading.tabIndex = -1;
        heading.focus({ preventScroll: true });
      }
    }

    const watch = new MutationObserver(settle);
    ending.signal.addEventListener("abort", () => watch.disconnect());
    watch.observe(document.body, { childList: true, subtree: true });
    for (const name of ["keydown", "pointerdown"]) {
      addEventListener(name, () => ending.abort(), { signal: ending.signal, capture: true });
    }
    settle();
    return () => ending.abort();
  }, [view]);
}
