import type { Presence } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals";

/** Who is there, as far as it was told. */
export interface PresenceBook {
  readonly of: (userId: UserId) => ReadonlySignal<Presence>;
  readonly note: (presences: readonly Presence[]) => void;
  /** What `ready` tells. `whole`: whoever it doesn't name is offline. */
  readonly restart: (presences: readonly Presence[], whole: boolean) => void;
}

export function createPresenceBook(): PresenceBook {
  const known = new Map<UserId, Presence>();
  /** Only those whom a view looks at have a signal. */
  const watched = new Map<UserId, Signal<Presence>>();

  function show(presence: Presence): void {
    const present = watched.get(presence.userId);
    if (present !== undefined && !samePresence(present.peek(), presence)) present.value = presence;
  }

  function note(presences: readonly Presence[]): void {
    batch(() => {
      for (const presence of presences) {
        known.set(presence.userId, presence);
        show(presence);
      }
    });
  }

  return {
    of(userId) {
      const present = watched.get(userId) ?? signal<Presence>(known.get(userId) ?? { userId, status: "offline" });
      watched.set(userId, present);
      return present;
    },
    note,
    restart(presences, whole) {
      batch(() => {
        if (whole) {
          known.clear();
          const named = new Set(presences.map(({ userId }) => userId));
          for (const userId of watched.keys()) if (!named.has(userId)) show({ userId, status: "offline" });
        }
        note(presences);
      });
    },
  };
}

function samePresence(a: Presence, b: Presence): boolean {
  return a.status === b.status && a.customStatus === b.customStatus;
}
