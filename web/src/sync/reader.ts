import type { Seq, UserId } from "@lescopains/protocol/ids";
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Unread } from "./live-types.ts";
import type { Clock, Page } from "./ports.ts";

/** How somebody reads a conversation: whether it is open, where they stopped, and what is to be marked as read. */
export interface Reader {
  readonly unreadFrom: ReadonlySignal<Seq | undefined>;
  readonly isOpen: () => boolean;
  /** One more view of it; the answer leaves it. `begin` runs when it was not open before. */
  readonly open: (begin: () => void) => () => void;
  /** A new message: the line stands where the reader stopped looking, until they write. */
  readonly noteNew: (authorId: UserId | null) => void;
  readonly clearLine: () => void;
  /** Marks it as read up to `seq`, soon. */
  readonly seen: (seq: Seq) => void;
  /** Tells the mark that could not be told. */
  readonly markAgain: () => void;
}

export interface ReaderDeps {
  readonly selfId: UserId;
  readonly unread: ReadonlySignal<Unread>;
  readonly clock: Clock;
  readonly page: Page;
  /** It was opened or left. */
  readonly used: () => void;
  /** Tells a mark; false: not now, but it may be tried again. */
  readonly mark: (seq: Seq) => Promise<boolean>;
}

const MARK_AFTER_MS = 400;

export function createReader({ selfId, unread, clock, page, used, mark }: ReaderDeps): Reader {
  const unreadFrom = signal<Seq | undefined>(undefined);
  let views = 0;
  let waiting = false;
  let unmarked: Seq | undefined;

  function markSoon(): void {
    if (waiting || unmarked === undefined) return;
    waiting = true;
    clock.after(MARK_AFTER_MS, () => void markNow());
  }

  async function markNow(): Promise<void> {
    waiting = false;
    const seq = unmarked;
    if (seq === undefined) return;
    unmarked = undefined;
    if (!(await mark(seq))) unmarked = Math.max(seq, unmarked ?? 0);
  }

  return {
    unreadFrom,
    isOpen: () => views > 0,
    open(begin) {
      views += 1;
      if (views === 1) {
        const { readSeq, count } = unread.peek();
        unreadFrom.value = count > 0 && readSeq > 0 ? readSeq : undefined;
        used();
        begin();
      }
      let left = false;
      return () => {
        if (left) return;
        left = true;
        views -= 1;
        if (views === 0) used();
      };
    },
    noteNew(authorId) {
      if (authorId === selfId) unreadFrom.value = undefined;
      else if (views > 0 && unreadFrom.peek() === undefined && !page.attentive()) {
        unreadFrom.value = unread.peek().readSeq;
      }
    },
    clearLine() {
      unreadFrom.value = undefined;
    },
    seen(seq) {
      unmarked = seq;
      markSoon();
    },
    markAgain: markSoon,
  };
}

const REACH_PAGES = 30;

/** Loads older pages until what is held is enough, or it is known that none will be. */
export async function reachBack<Held>(
  held: ReadonlySignal<Held>,
  loadOlder: () => Promise<boolean>,
  enough: (now: Held) => boolean,
  vain: (now: Held) => boolean = () => false,
): Promise<boolean> {
  for (let pages = 0; pages < REACH_PAGES; pages += 1) {
    if (enough(held.peek())) return true;
    if (vain(held.peek()) || !(await loadOlder())) return enough(held.peek());
  }
  return false;
}

/** Whether the line of new messages has its place among what is held. */
export function reachesLine(
  { messages, hasOlder }: { readonly messages: readonly { readonly seq: Seq }[]; readonly hasOlder: boolean },
  unreadFrom: Seq | undefined,
): boolean {
  return !hasOlder || (messages[0]?.seq ?? Infinity) <= (unreadFrom ?? 0) + 1;
}
