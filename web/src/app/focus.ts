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

    function settle(): boolean {
      const wanted = keyboard ? document.querySelector<HTMLElement>(`:is(${MAIN}) [data-autofocus]`) : null;
      // On arrival the page begins at its top by itself; only a field to type into is worth moving to.
      const target = wanted ?? (isFirst ? null : document.querySelector<HTMLElement>(`:is(${MAIN}) h1`));
      if (target === null) return isFirst && document.querySelector(`:is(${MAIN}) h1`) !== null;
      if (wanted === null) target.tabIndex = -1;
      target.focus({ preventScroll: true });
      return true;
    }
    if (settle()) return undefined;
    const watch = new MutationObserver(() => {
      if (settle()) watch.disconnect();
    });
    watch.observe(document.body, { childList: true, subtree: true });
    return () => watch.disconnect();
  }, [view]);
}
