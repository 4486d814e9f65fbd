import type { Message, Reaction } from "@lescopains/protocol/entities";
import type { MessageId, UserId } from "@lescopains/protocol/ids";
import { type ReadonlySignal, signal } from "@preact/signals";
import { withReaction } from "./timeline.ts";

/** A reaction of one's own that was asked for and is not confirmed: added, or not `on`, taken back. */
export interface Wish {
  readonly messageId: MessageId;
  readonly emoji: string;
  readonly on: boolean;
}

/** One's own reactions as they show before anyone has confirmed them. */
export interface Wishes {
  readonly all: ReadonlySignal<readonly Wish[]>;
  /** Takes the place of an earlier wish about the same. The answer ends it, unless another has followed. */
  readonly add: (messageId: MessageId, emoji: string, on: boolean) => () => void;
  readonly drop: (messageId: MessageId, emoji: string) => void;
  /** Ends what the message now shows by itself. */
  readonly confirm: (message: Pick<Message, "id" | "reactions" | "deleted">) => void;
}

export function createWishes(selfId: UserId): Wishes {
  const all = signal<readonly Wish[]>([]);

  function keep(which: (wish: Wish) => boolean): void {
    const kept = all.peek().filter(which);
    if (kept.length < all.peek().length) all.value = kept;
  }

  return {
    all,
    add(messageId, emoji, on) {
      const wish = { messageId, emoji, on };
      all.value = [...all.peek().filter((one) => one.messageId !== messageId || one.emoji !== emoji), wish];
      return () => keep((one) => one !== wish);
    },
    drop: (messageId, emoji) => keep((one) => one.messageId !== messageId || one.emoji !== emoji),
    confirm: ({ id, reactions, deleted }) =>
      keep(({ messageId, emoji, on }) => messageId !== id || (!deleted && reacted(reactions, emoji, selfId) !== on)),
  };
}

/** Whether somebody reacted with an emoji. */
export function reacted(reactions: readonly Reaction[], emoji: string, userId: UserId): boolean {
  return reactions.some((one) => one.emoji === emoji && one.userIds.includes(userId));
}

/** The reactions to a message as they show now, with what its reader has just asked for. */
export function reactionsShown(
  { id, reactions }: Pick<Message, "id" | "reactions">,
  wishes: readonly Wish[],
  selfId: UserId,
): readonly Reaction[] {
  if (wishes.length === 0) return reactions;
  return wishes
    .filter(({ messageId }) => messageId === id)
    .reduce<readonly Reaction[]>((now, { emoji, on }) => withReaction(now, emoji, selfId, on), reactions);
}
