import { signal } from "@preact/signals";
import type { ComponentChildren, ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { nextTurn } from "../sync/turn.ts";
import { appWords } from "./words.ts";

/** A view whose code comes when it is shown; `preload` brings it before, when someone seems about to want it. */
export interface LazyView<Props> {
  (props: Props): ComponentChildren;
  preload(): void;
}

/** How long a view may take before anything is shown in its place: most come sooner, and nothing should flash. */
const PATIENCE_CLASS = "view-wait";

interface LazyOptions {
  /** It stands beside views and has no place of its own until it comes: keeping room for it would make them jump. */
  readonly beside?: boolean;
}

/** Makes a view of a dynamic import. A failure (new release, no network) leaves words and a button, never a blank page. */
export function lazyView<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  { beside = false }: LazyOptions = {},
): LazyView<Props> {
  const state = signal<{ readonly view?: ComponentType<Props>; readonly failed: boolean }>({ failed: false });
  let flight: Promise<void> | undefined;

  async function bring(): Promise<void> {
    try {
      const view = await load();
      // Evaluating its code and drawing it are a task each.
      await nextTurn();
      state.value = { view, failed: false };
    } catch {
      flight = undefined;
      state.value = { failed: true };
    }
  }

  function preload(): void {
    flight ??= bring();
  }

  function View(props: Props) {
    const { view: Loaded, failed } = state.value;
    useEffect(() => preload(), []);
    if (Loaded !== undefined) return <Loaded {...props} />;
    if (!failed) return beside ? null : <div class={PATIENCE_CLASS} aria-busy="true" />;
    const words = appWords.value;
    return (
      <main class="failure">
        <h1 tabIndex={-1}>{words.viewFailed}</h1>
        <p>{words.viewFailedHelp}</p>
        <button type="button" class="button button-primary" onClick={() => location.reload()}>
          {words.reload}
        </button>
      </main>
    );
  }
  return Object.assign(View, { preload });
}
