import type { MessageId } from "@lescopains/protocol/ids";
import { batch, useSignal } from "@preact/signals";
import { ArrowDown, ArrowUp, Lock } from "lucide";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { errorText } from "../../app/errors.ts";
import { Icon } from "../../ui/icon.tsx";
import { Skeleton } from "../../ui/notice.tsx";
import { say } from "../../ui/toasts.tsx";
import { Announcer } from "./announcer.tsx";
import { warmUpMarkdown } from "./markdown.ts";
import { actOnKey } from "./message-actions.tsx";
import { MessageRow, NoticeLines } from "./message.tsx";
import {
  estimatedHeightPx,
  keyAt,
  newCount,
  NO_NOTICES,
  rowAt,
  rowCount,
  rowsOf,
  wantsNewer,
  wantsOlder,
} from "./model.ts";
import { type Room } from "./room.ts";
import { END_THRESHOLD_PX, useVirtualRows } from "./virtual-rows.ts";
import { conversationWords } from "./words.ts";

interface MessageListProps {
  readonly room: Room;
  /** What the conversation is called. */
  readonly name: string;
  readonly direct: boolean;
}

/** Room above the first message: for "this is where it begins", or for what is still loading. */
const BEGINNING_PX = 148;
const BEGINNING_DIRECT_PX = 184;
const OLDER_PX = 64;
const MARKED_MS = 2_000;
/** Rows already read that stay in view above the line, to pick up the thread. */
const ROWS_BEFORE_NEW = 2;
/** Further from the end than this, a way back is offered. */
const FAR_PX = 400;

/** The messages of a conversation: only the rows in view are drawn, and what is read stays where it is. */
export function MessageList({ room, name, direct }: MessageListProps) {
  const words = conversationWords.value;
  const { conversation, live } = room;
  const scroller = useRef<HTMLDivElement>(null);
  const timeline = conversation.timeline.value;
  const { messages, loaded, hasOlder, hasNewer, loading, error } = timeline;
  const selfId = live.self.value.id;
  const pendingMessages = conversation.pending.value;
  const unreadFrom = conversation.unreadFrom.value;
  const notices = conversation.notices?.value ?? NO_NOTICES;
  const beginningPx = direct ? BEGINNING_DIRECT_PX : BEGINNING_PX;
  // The same rows and the same functions while nothing changed: the list keeps its measurements by them.
  const { rows, keyOfIndex } = useMemo(() => {
    const made = rowsOf(messages, pendingMessages, selfId, unreadFrom, hasOlder, notices);
    return { rows: made, keyOfIndex: (index: number) => keyAt(made, index) };
  }, [messages, pendingMessages, selfId, unreadFrom, hasOlder, notices]);
  const count = loaded ? rowCount(rows) : 0;
  const rowsRef = useRef(rows);
  rowsRef.current = rows;
  /** New arrivals below while the reader is further up. */
  const below = useSignal(0);
  const away = useSignal(false);
  const pending = useRef<{ readonly key: string } | null>(null);

  const focusIndex = indexOfKey(room.focusKey.value);
  function indexOfKey(key: string | null): number {
    if (key === null) return -1;
    for (let index = count - 1; index >= 0; index -= 1) if (keyAt(rows, index) === key) return index;
    return -1;
  }

  const virtualizer = useVirtualRows({
    count,
    scroller,
    keyAt: keyOfIndex,
    estimatedHeightPx: (index) => estimatedHeightPx(rows, index),
    paddingTopPx: hasOlder ? OLDER_PX : beginningPx,
    pinned: focusIndex < 0 ? [] : [focusIndex],
  });
  /** The list stands where it begins: rows are drawn there, and none before. */
  const placed = useSignal(false);
  const items = placed.value ? virtualizer.getVirtualItems() : [];
  const firstIndex = virtualizer.range?.startIndex ?? 0;
  const lastIndex = virtualizer.range?.endIndex ?? 0;

  // Where to begin: at the line of new messages if there is one, else at the end.
  const started = useRef(false);
  useLayoutEffect(() => {
    if (started.current || !loaded || count === 0) return;
    started.current = true;
    if (rows.newIndex > 0) virtualizer.scrollToIndex(Math.max(0, rows.newIndex - ROWS_BEFORE_NEW), { align: "start" });
    else virtualizer.scrollToEnd();
    if (placed.peek()) return;
    const element = scroller.current;
    const place = (): void => {
      placed.value = true;
    };
    // Where it was scrolled to is known to the list with the event that tells so.
    if (element === null || Math.abs(element.scrollTop - (virtualizer.scrollOffset ?? 0)) < 1) place();
    else element.addEventListener("scroll", place, { once: true, passive: true });
  });

  // Pages ahead of the reader.
  useEffect(() => {
    if (!loaded || loading !== "none" || error !== undefined || !started.current || !placed.value) return;
    if (hasOlder && wantsOlder({ firstIndex, lastIndex, count })) conversation.loadOlder();
    else if (hasNewer && wantsNewer({ firstIndex, lastIndex, count })) conversation.loadNewer();
  }, [loaded, loading, error, hasOlder, hasNewer, firstIndex, lastIndex, count, placed.value]);

  // While the first page is on its way.
  useEffect(() => {
    if (!loaded) warmUpMarkdown();
  }, []);

  const atEnd = useCallback(() => virtualizer.isAtEnd(END_THRESHOLD_PX), [virtualizer]);
  const noteSeen = useCallback(() => {
    if (atEnd() && !conversation.timeline.peek().hasNewer) {
      below.value = 0;
      conversation.noteSeen();
    }
  }, [conversation, atEnd]);

  // After each drawing: is the newest in view, is the reader far from it?
  useEffect(() => {
    if (!started.current) return;
    away.value = hasNewer || virtualizer.getDistanceFromEnd() > FAR_PX;
    noteSeen();
  });
  useEffect(() => {
    const ending = new AbortController();
    for (const kind of ["focus", "visibilitychange"]) {
      (kind === "focus" ? globalThis : document).addEventListener(kind, noteSeen, { signal: ending.signal });
    }
    return () => ending.abort();
  }, [noteSeen]);

  // The list keeps its end in view when the room for it shrinks: a growing composer, a phone's keyboard.
  const wasAtEnd = useRef(true);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const note = (): void => {
      wasAtEnd.current = atEnd();
    };
    const watch = new ResizeObserver(() => {
      if (wasAtEnd.current && started.current) virtualizer.scrollToEnd();
    });
    watch.observe(element);
    element.addEventListener("scroll", note, { passive: true });
    return () => {
      watch.disconnect();
      element.removeEventListener("scroll", note);
    };
  }, [virtualizer, atEnd]);

  // And when a row grows that is drawn already: by a reaction, or by words that can be read at last.
  const heightPx = virtualizer.getTotalSize();
  useLayoutEffect(() => {
    if (wasAtEnd.current && started.current) virtualizer.scrollToEnd();
  }, [heightPx]);

  // One's own new message always shows, wherever one was reading.
  const ownCount = pendingMessages.length;
  const lastOwnCount = useRef(ownCount);
  useLayoutEffect(() => {
    if (ownCount > lastOwnCount.current) virtualizer.scrollToEnd();
    lastOwnCount.current = ownCount;
  }, [ownCount]);

  // New messages while the reader is further up are counted on the way back.
  const lastSeq = useRef(messages.at(-1)?.seq ?? 0);
  useEffect(() => {
    const newest = messages.at(-1)?.seq ?? 0;
    if (newest > lastSeq.current && loading === "none" && !atEnd()) {
      const fresh = messages.filter(({ seq, authorId }) => seq > lastSeq.current && authorId !== live.self.peek().id);
      below.value += fresh.length;
    }
    lastSeq.current = newest;
  }, [messages]);

  room.list.toEnd = () => {
    below.value = 0;
    if (conversation.timeline.peek().hasNewer) {
      started.current = false;
      conversation.jumpToPresent();
    } else {
      virtualizer.scrollToEnd();
    }
  };
  room.list.jumpTo = (id) => void jumpTo(id);
  room.list.focusLast = () => focusRow(rowCount(rowsRef.current) - 1);

  async function jumpTo(id: MessageId): Promise<void> {
    if (!(await conversation.reach(id))) {
      say(words.notReachable);
      return;
    }
    const index = conversation.timeline.peek().messages.findIndex((message) => message.id === id);
    // The list draws the pages that were just loaded before it can be moved to one of their rows.
    requestAnimationFrame(() => {
      virtualizer.scrollToIndex(index, { align: "center" });
      room.marked.value = id;
      setTimeout(() => {
        if (room.marked.peek() === id) room.marked.value = null;
      }, MARKED_MS);
    });
  }

  async function jumpToNew(): Promise<void> {
    if (!(await conversation.reachUnread())) {
      say(words.notReachable);
      return;
    }
    requestAnimationFrame(() => {
      const index = rowsRef.current.newIndex - ROWS_BEFORE_NEW;
      virtualizer.scrollToIndex(Math.max(0, index), { align: "start" });
    });
  }

  function focusRow(index: number): void {
    const key = keyAt(rowsRef.current, index);
    pending.current = { key };
    batch(() => {
      room.focusKey.value = key;
      room.activeKey.value = key;
    });
    virtualizer.scrollToIndex(index, { align: "auto" });
  }

  // The focus follows once the row is drawn.
  useLayoutEffect(() => {
    const wanted = pending.current;
    if (wanted === null) return;
    const element = rowElement(scroller.current, wanted.key);
    if (element === null) return;
    pending.current = null;
    element.focus({ preventScroll: true });
  });

  function onKeyDown(event: KeyboardEvent): void {
    const target = event.target instanceof HTMLElement ? event.target : undefined;
    const key = target?.dataset["key"];
    if (target === undefined || key === undefined) return;
    const index = indexOfKey(key);
    const message = rows.messages[index];
    const next = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: count - 1 }[event.key];
    if (next !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      if (next >= count) room.composer.focus();
      else if (next >= 0) focusRow(next);
    } else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
      event.preventDefault();
      openMenu(target);
    } else if (event.key === "Escape") {
      room.composer.focus();
    } else if (message !== undefined && actOnKey(room, message, target, event)) {
      event.preventDefault();
    }
  }

  /** The menu key, Shift+F10 and a long press: the row's menu, unless they were meant for a link or selected words. */
  function onContextMenu(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target : null;
    const row = target?.closest<HTMLElement>("[data-key]");
    const mouse = event instanceof PointerEvent && event.pointerType === "mouse";
    if (row === null || row === undefined || mouse || target?.closest("a, textarea") !== null) return;
    event.preventDefault();
    if (!(event instanceof PointerEvent) || event.pointerType !== "touch") {
      openMenu(row);
      return;
    }
    // The finger's lifting would close a menu that opened under it.
    const lifted = new AbortController();
    const open = (): void => {
      lifted.abort();
      openMenu(row);
    };
    for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, open, { signal: lifted.signal });
  }

  function openMenu(row: HTMLElement): void {
    activate(row);
    // The actions are drawn first; some systems tell of the menu key twice.
    requestAnimationFrame(() => row.querySelector<HTMLElement>("[data-more][aria-expanded=false]")?.click());
  }

  function activate(row: Element | null | undefined): void {
    const key = row instanceof HTMLElement ? (row.dataset["key"] ?? null) : null;
    if (key !== null && room.activeKey.peek() !== key) room.activeKey.value = key;
  }

  const tabIndexRow = focusIndex < 0 ? count - 1 : focusIndex;
  // The way up to the line is offered until it was in view once.
  const lineSeen = useRef<number>(undefined);
  useEffect(() => {
    if (started.current && rows.newIndex >= firstIndex && rows.newIndex <= lastIndex) lineSeen.current = unreadFrom;
  });
  const lineUnloaded = unreadFrom !== undefined && hasOlder && (messages[0]?.seq ?? 0) > unreadFrom + 1;
  const lineAbove = rows.newIndex < 0 ? lineUnloaded : rows.newIndex < firstIndex;
  const newTotal = useMemo(() => newCount(rows), [rows]);
  return (
    <div class="messages-frame">
      <div
        ref={scroller}
        class="messages"
        aria-busy={!loaded || (count > 0 && !placed.value)}
        onPointerOver={(event) => {
          if (event.pointerType === "mouse" && event.target instanceof Element)
            activate(event.target.closest("[data-key]"));
        }}
        onPointerLeave={(event) => {
          // A finger leaves whenever it lifts, also from the action that it presses.
          if (event.pointerType !== "mouse") return;
          const busy = room.picking.peek() !== null || scroller.current?.querySelector(".menu:popover-open") !== null;
          if (!busy) room.activeKey.value = null;
        }}
        onFocusIn={(event) => {
          const row = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-key]") : null;
          activate(row);
          if (row !== null) room.focusKey.value = row.dataset["key"] ?? null;
        }}
        onKeyDown={onKeyDown}
        onContextMenu={onContextMenu}
      >
        {!loaded && <ListSkeleton failed={error !== undefined} room={room} />}
        {loaded && (
          <div class="messages-space" style={{ height: `${heightPx}px` }}>
            {hasOlder ? (
              <div class="messages-older" style={{ height: `${OLDER_PX}px` }}>
                {error === undefined ? (
                  <Skeleton width="38%" height="14px" />
                ) : (
                  <LoadFailed text={words.loadFailed} room={room} />
                )}
              </div>
            ) : (
              <div class="messages-beginning" style={{ height: `${beginningPx}px` }}>
                <p class="messages-beginning-title">
                  {direct ? words.beginningWith({ name }) : words.beginning({ channel: name })}
                </p>
                {direct ? (
                  <p class="messages-beginning-lock">
                    <Icon node={Lock} size={16} />
                    <span>{words.beginningWithHelp}</span>
                  </p>
                ) : (
                  <p>{words.beginningHelp}</p>
                )}
              </div>
            )}
            <ol
              class="messages-rows"
              role="list"
              aria-label={direct ? words.messagesWith({ name }) : words.messages({ channel: name })}
            >
              {items.map(({ key, index, start }) => {
                const row = rowAt(rows, index);
                if (row === undefined) return null;
                return (
                  <li
                    key={key}
                    ref={virtualizer.measureElement}
                    data-index={index}
                    data-key={row.key}
                    class="messages-row"
                    tabIndex={index === tabIndexRow ? 0 : -1}
                    style={{ transform: `translateY(${start}px)` }}
                  >
                    <MessageRow room={room} row={row} newCount={row.startsNew ? newTotal : 0} />
                  </li>
                );
              })}
            </ol>
            {count === 0 && <NoticeLines room={room} notices={notices} />}
          </div>
        )}
      </div>
      {lineAbove && lineSeen.current !== unreadFrom && (
        <button type="button" class="messages-jump messages-jump-up" onClick={() => void jumpToNew()}>
          <Icon node={ArrowUp} size={16} />
          {rows.newIndex < 0 ? words.jumpToNew : words.newMessages(newTotal)}
        </button>
      )}
      {away.value && (
        <button type="button" class="messages-jump" onClick={() => room.list.toEnd()}>
          <Icon node={ArrowDown} size={16} />
          {below.value > 0 ? words.newMessages(below.value) : words.jumpToPresent}
        </button>
      )}
      <Announcer room={room} />
    </div>
  );
}

function rowElement(list: HTMLElement | null, key: string): HTMLElement | null {
  return list?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? null;
}

const SKELETON_WIDTHS = ["52%", "71%", "34%", "63%", "46%", "58%", "27%", "66%"];

function ListSkeleton({ failed, room }: { readonly failed: boolean; readonly room: Room }) {
  const words = conversationWords.value;
  if (failed) {
    return (
      <div class="messages-alone">
        <LoadFailed text={words.newestFailed} room={room} />
      </div>
    );
  }
  return (
    <div class="messages-skeleton" role="status">
      <span class="aside-text">{words.loading}</span>
      {SKELETON_WIDTHS.map((width) => (
        <div key={width} class="messages-skeleton-row">
          <Skeleton width="40px" height="40px" />
          <div>
            <Skeleton width="120px" height="14px" />
            <Skeleton width={width} height="14px" />
          </div>
        </div>
      ))}
    </div>
  );
}

function LoadFailed({ text, room }: { readonly text: string; readonly room: Room }) {
  const error = room.conversation.timeline.value.error;
  return (
    <p class="messages-failed" role="alert">
      {text} {error !== undefined && errorText(error)}{" "}
      <button type="button" class="text-button" onClick={() => room.conversation.reload()}>
        {conversationWords.value.tryAgain}
      </button>
    </p>
  );
}
