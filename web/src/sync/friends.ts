import type { UserId } from "@lescopains/protocol/ids";
import type { FriendLists } from "@lescopains/protocol/rest";
import { type ReadonlySignal, signal } from "@preact/signals";
import { singleFlight } from "./single-flight.ts";

/** How one stands with a person. */
export type Friendship = "none" | "friends" | "incoming" | "outgoing";

/** Friends and requests. */
export interface Friends {
  readonly lists: ReadonlySignal<FriendLists>;
  /** Asks the server again, once after whatever it is asked right now. */
  readonly refresh: () => void;
}

export function createFriends(ask: () => Promise<FriendLists>): Friends {
  const lists = signal<FriendLists>({ friends: [], incoming: [], outgoing: [] });

  const refresh = singleFlight(async () => {
    try {
      lists.value = await ask();
    } catch {
      // The next `ready` or event asks again; what was known stays.
    }
  });

  return { lists, refresh: () => void refresh() };
}

/** How one stands with a person, by these lists. */
export function friendshipWith({ friends, incoming, outgoing }: FriendLists, userId: UserId): Friendship {
  const has = (list: FriendLists["friends"]): boolean => list.some(({ id }) => id === userId);
  return has(friends) ? "friends" : has(incoming) ? "incoming" : has(outgoing) ? "outgoing" : "none";
}
