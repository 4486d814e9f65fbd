import type { User } from "@lescopains/protocol/entities";
import type { UserId } from "@lescopains/protocol/ids";
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { asApiError } from "../net/api-error.ts";
import type { Clock } from "./ports.ts";

/** Names of people: learned from members, asked for when unknown. */
export interface People {
  /** `undefined` while asked, `null` when the account is gone. */
  readonly of: (userId: UserId) => ReadonlySignal<User | null | undefined>;
  readonly note: (user: User) => void;
  /** The connection is back: ask again for those who could not be asked. */
  readonly reconnected: () => void;
  readonly close: () => void;
}

/** Members of the place just opened usually arrive within this time and make most questions needless. */
const ASK_AFTER_MS = 250;
const AGAIN_AFTER_MS = 15_000;

export function createPeople(ask: (userId: UserId) => Promise<User>, clock: Clock): People {
  const known = new Map<UserId, User>();
  /** Only those whom a view looks at have a signal. */
  const watched = new Map<UserId, Signal<User | null | undefined>>();
  const unanswered = new Set<UserId>();
  let cancelAgain: (() => void) | undefined;

  async function askFor(userId: UserId): Promise<void> {
    const person = watched.get(userId);
    if (person === undefined || person.peek() !== undefined) return;
    try {
      note(await ask(userId));
    } catch (thrown) {
      const { code, retry } = asApiError(thrown);
      if (code === "not_found") {
        person.value = null;
        return;
      }
      unanswered.add(userId);
      // What failed may have nothing to do with the connection, or be told only after it is back.
      if (retry) cancelAgain ??= clock.after(AGAIN_AFTER_MS, askAgain);
    }
  }

  function askAgain(): void {
    cancelAgain?.();
    cancelAgain = undefined;
    const again = [...unanswered];
    unanswered.clear();
    for (const userId of again) void askFor(userId);
  }

  function note(user: User): void {
    const before = known.get(user.id);
    const same = before?.displayName === user.displayName && before.username === user.username;
    if (!same) known.set(user.id, user);
    const person = watched.get(user.id);
    if (person !== undefined && (!same || !person.peek())) person.value = user;
  }

  return {
    of(userId) {
      const present = watched.get(userId);
      if (present !== undefined) return present;
      const person = signal<User | null | undefined>(known.get(userId));
      watched.set(userId, person);
      if (person.peek() === undefined) clock.after(ASK_AFTER_MS, () => void askFor(userId));
      return person;
    },
    note,
    reconnected: askAgain,
    close: () => cancelAgain?.(),
  };
}
