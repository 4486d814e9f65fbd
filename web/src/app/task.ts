import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { type ApiError, asApiError } from "../net/api-error.ts";

/** Something that a person asked for and that may be refused: by the server, unless `Refusal` says otherwise. */
export interface Task<Refusal = ApiError> {
  readonly busy: ReadonlySignal<boolean>;
  readonly error: ReadonlySignal<Refusal | null>;
  /** Runs `work` unless something already runs; a refusal stands in `error`. Answers whether it went well. */
  run(work: () => Promise<void>): Promise<boolean>;
  clear(): void;
}

/** One task of a component: its button is busy while it runs, its refusal is shown beside it, nothing typed is lost. */
export function useTask(): Task {
  return useTaskWith(asApiError);
}

/** A task whose refusals are read from what was thrown by `refusalOf`. */
export function useTaskWith<Refusal>(refusalOf: (thrown: unknown) => Refusal): Task<Refusal> {
  const busy = useSignal(false);
  const error = useSignal<Refusal | null>(null);
  const task = useRef<Task<Refusal>>(null);
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
        error.value = refusalOf(thrown);
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
