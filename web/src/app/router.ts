import { computed, signal } from "@preact/signals";
import { parseRoute, type Route } from "./route.ts";

const pathname = signal(location.pathname);

/** The view that the address names. */
export const route = computed<Route>(() => parseRoute(pathname.value));

interface Entry {
  /** Path of the entry before this one, when we made both: "up" can then be the browser's Back. */
  readonly from?: string;
}

function entry(): Entry {
  return (history.state as Entry | null) ?? {};
}

/** Goes to an address of ours; `replace` leaves no step behind, for redirections. */
export function navigate(path: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (path === location.pathname + location.search) return;
  if (replace) history.replaceState(entry(), "", path);
  else history.pushState({ from: location.pathname } satisfies Entry, "", path);
  pathname.value = location.pathname;
}

/** Leaves a view for the one above it: a step back when one came from there, so that Back never runs in circles. */
export function navigateUp(path: string): void {
  if (entry().from === path) history.back();
  else navigate(path, { replace: true });
}

/** The link of ours that a plain press means to follow. */
function ownLink(event: MouseEvent): HTMLAnchorElement | undefined {
  if (
    event.defaultPrevented ||
    event.button !== 0 ||
    event.metaKey ||
    event.ctrlKey ||
    event.shiftKey ||
    event.altKey
  ) {
    return undefined;
  }
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (link === null || link.target !== "" || link.hasAttribute("download") || link.origin !== location.origin) {
    return undefined;
  }
  // A link within the page (the one that skips to the content) is the browser's business.
  if (link.getAttribute("href")?.startsWith("#") === true) return undefined;
  return parseRoute(link.pathname).name === "notFound" ? undefined : link;
}

/** Follows the browser's Back and Forward, and plain presses on links to our own views (`data-replace`: without a step for Back; `data-up`: to the view above). Called once, at start. */
export function startRouter(): void {
  addEventListener("popstate", () => {
    pathname.value = location.pathname;
  });
  document.addEventListener("click", (event) => {
    const link = ownLink(event);
    if (link === undefined) return;
    event.preventDefault();
    if (link.dataset["up"] === "") navigateUp(link.pathname);
    else navigate(link.pathname + link.search, { replace: link.dataset["replace"] === "" });
  });
}
