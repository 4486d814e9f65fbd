import type { UserId } from "@lescopains/protocol/ids";
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { perId } from "./per-id.ts";

/** Whom this person has blocked. */
export interface Blocks {
  readonly has: (userId: UserId) => ReadonlySignal<boolean>;
  /** All of them anew, at `ready`. */
  readonly replace: (userIds: readonly UserId[]) => void;
  readonly put: (userId: UserId, isBlocked: boolean) => void;
}

export function createBlocks(): Blocks {
  const blocked = signal<ReadonlySet<UserId>>(new Set());
  return {
    has: perId((userId) => computed(() => blocked.value.has(userId))),
    replace(userIds) {
      blocked.value = new Set(userIds);
    },
    put(userId, isBlocked) {
      const next = new Set(blocked.peek());
      if (isBlocked) next.add(userId);
      else next.delete(userId);
      blocked.value = next;
    },
  };
}
