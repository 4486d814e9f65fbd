import type { Generation, UserId } from "@lescopains/protocol/ids";
import { type ReadonlySignal, signal } from "@preact/signals";
import type { KeyValueStore } from "./ports.ts";

/** Whether the server was restored from a backup since it was last known here. */
export interface GenerationBook {
  /** True until the person has read that something may be missing, over reloads too. */
  readonly restored: ReadonlySignal<boolean>;
  /** What `ready` says. True: another one than this page knew, so what it holds of the server may be unknown there. */
  readonly learn: (generation: Generation) => boolean;
  readonly noteRead: () => void;
}

export function createGenerationBook(userId: UserId, storage: KeyValueStore): GenerationBook {
  const key = `lescopains:generation:${userId}`;
  const restored = signal(false);
  let present: Generation | undefined;

  return {
    restored,
    learn(generation) {
      const before = present;
      present = generation;
      const read = storage.get(key);
      // A browser that was never here misses nothing.
      if (read === undefined) storage.set(key, before ?? generation);
      restored.value = (storage.get(key) ?? before ?? generation) !== generation;
      return before !== undefined && before !== generation;
    },
    noteRead() {
      if (present !== undefined) storage.set(key, present);
      restored.value = false;
    },
  };
}
