import { useEffect } from "preact/hooks";

/** Names the browser's tab: the view first, for it is what tells tabs apart. */
export function useTitle(view: string | undefined): void {
  useEffect(() => {
    document.title = view === undefined || view === "" ? "LesCopains" : `${view} · LesCopains`;
  }, [view]);
}
