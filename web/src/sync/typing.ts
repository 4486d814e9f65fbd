import type { ChannelId, UserId } from "@lescopains/protocol/ids";
import { PERIODS } from "@lescopains/protocol/limits";
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { perId } from "./per-id.ts";
import type { Clock } from "./ports.ts";

/** Who is typing where, for as long as their last word about it holds. */
export interface TypingBook {
  readonly of: (channelId: ChannelId) => ReadonlySignal<readonly UserId[]>;
  readonly note: (channelId: ChannelId, userId: UserId) => void;
  /** Their message came, or they left. */
  readonly stopped: (channelId: ChannelId, userId: UserId) => void;
  readonly close: () => void;
}

export function createTypingBook(clock: Clock): TypingBook {
  const of = perId<ChannelId, Signal<readonly UserId[]>>(() => signal([]));
  const ends = new Map<string, () => void>();

  function stopped(channelId: ChannelId, userId: UserId): void {
    const key = `${channelId} ${userId}`;
    const cancel = ends.get(key);
    if (cancel === undefined) return;
    cancel();
    ends.delete(key);
    const typing = of(channelId);
    typing.value = typing.peek().filter((id) => id !== userId);
  }

  return {
    of,
    note(channelId, userId) {
      const key = `${channelId} ${userId}`;
      const known = ends.get(key);
      known?.();
      ends.set(
        key,
        clock.after(PERIODS.typingMs, () => stopped(channelId, userId)),
      );
      if (known === undefined) {
        const typing = of(channelId);
        typing.value = [...typing.peek(), userId];
      }
    },
    stopped,
    close() {
      for (const cancel of ends.values()) cancel();
      ends.clear();
    },
  };
}
