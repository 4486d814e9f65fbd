import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { type ApiError, asApiError } from "../net/api-error.ts";

/** Something that a person asked for and that the server may refuse. */
export interface Task {
  readonly busy: ReadonlySignal<boolean>;
  readonly error: ReadonlySignal<ApiError | null>;
  /** Runs `work` unless something already runs; a refusal stands in `error`. Answers whether it went well. */
  run(work: () => Promise<void>): Promise<boolean>;
  clear(): void;
}

/** One task of a component: its button is busy while it runs, its refusal is shown beside it, nothing typed is lost. */
export function useTask(): Task {
  const busy = useSignal(false);
  const error = useSignal<ApiError | null>(null);
  const task = useRef<Task>(null);
  task.current ??= {
    busy,
    error,
    async run(work) {
      if (busy.peek()) return false;
      busy.value = true;
      error.value = null;
      try {
        await work();
        return true;
      } catch (thrown) {
        error.value = asApiError(thrown);
        return false;
      } finally {
        busy.value = false;
      }
    },
    clear() {
      error.value = null;
    },
  };
  return task.current;
}
