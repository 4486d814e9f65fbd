import { type ReadonlySignal, type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { asMediaError, type MediaError, type MediaWish } from "../../../voice/media-refusal.ts";

/** A device that is tried. */
export interface Trial<T> {
  /** Whether it is wished for; off again when it could not be had. */
  readonly on: Signal<boolean>;
  readonly lent: ReadonlySignal<T | null>;
  readonly busy: ReadonlySignal<boolean>;
  readonly error: ReadonlySignal<MediaError | null>;
}

interface TrialOptions<T> {
  readonly wish: MediaWish;
  /** `lost`: to be called when it was unplugged. */
  readonly open: (lost: () => void) => Promise<T>;
  readonly close: (lent: T) => void;
  /** When it changes, the device is made anew. */
  readonly how: string;
}

/** Opens a device while it is wished for, and lets it go with the component; one that comes too late at once. */
export function useTrial<T>({ wish, open, close, how }: TrialOptions<T>): Trial<T> {
  const on = useSignal(false);
  const lent = useSignal<T | null>(null);
  const busy = useSignal(false);
  const error = useSignal<MediaError | null>(null);
  useEffect(() => {
    if (!on.value) return undefined;
    let ended = false;
    busy.value = true;
    error.value = null;
    const lost = (): void => {
      if (!ended) on.value = false;
    };
    void open(lost).then(
      (opened) => {
        if (ended) {
          close(opened);
          return;
        }
        busy.value = false;
        lent.value = opened;
      },
      (thrown: unknown) => {
        if (ended) return;
        on.value = false;
        error.value = asMediaError(wish, thrown);
      },
    );
    return () => {
      ended = true;
      busy.value = false;
      const shown = lent.peek();
      lent.value = null;
      if (shown !== null) close(shown);
    };
  }, [on.value, how]);
  return { on, lent, busy, error };
}
