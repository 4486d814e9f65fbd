import { useLayoutEffect, useRef } from "preact/hooks";

/** When what had the focus went away as `when` changed, the focus lands on the first element of `selector` instead of nowhere. */
export function useLanding(selector: string, when: unknown): void {
  const known = useRef(when);
  useLayoutEffect(() => {
    if (known.current === when) return;
    known.current = when;
    if (document.activeElement !== document.body) return;
    document.querySelector<HTMLElement>(selector)?.focus({ preventScroll: true });
  }, [when]);
}
