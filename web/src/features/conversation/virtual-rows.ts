import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core";
import type { RefObject } from "preact";
import { useLayoutEffect, useReducer, useRef } from "preact/hooks";

export type RowVirtualizer = Virtualizer<HTMLElement, HTMLElement>;

interface VirtualRows {
  readonly count: number;
  /** The element that scrolls. */
  readonly scroller: RefObject<HTMLElement | null>;
  readonly keyAt: (index: number) => string;
  readonly estimatedHeightPx: (index: number) => number;
  /** Room above the first row. */
  readonly paddingTopPx: number;
  /** Rows that stay in the page though they are out of view: the one with the focus. */
  readonly pinned: readonly number[];
}

/** Rows drawn above and below the visible ones, so that a fast wheel doesn't outrun them. */
const OVERSCAN = 8;
/** Rows drawn for the first time in one frame: a whole screen of them would hold the page up; the others follow, the nearest first. */
const FRESH_ROWS = 6;
/** Air between the last message and the composer. */
const PADDING_END_PX = 16;
/** So near to the end counts as being there. */
export const END_THRESHOLD_PX = 48;

/**
 * Draws only the rows in view. The list is anchored at its end: it stays there as rows are appended, and rows put in
 * front don't move what is being read. virtual-core has no adapter for Preact; this is the whole of it.
 */
export function useVirtualRows({
  count,
  scroller,
  keyAt,
  estimatedHeightPx,
  paddingTopPx,
  pinned,
}: VirtualRows): RowVirtualizer {
  const [, redraw] = useReducer<number, undefined>((round) => round + 1, 0);
  const made = useRef<RowVirtualizer>(null);
  /** Keys of the rows in the page; how many of them came with this frame; whether some that are wanted are still to come. */
  const drawn = useRef<ReadonlySet<string>>(new Set());
  const fresh = useRef(0);
  const lacking = useRef(false);
  const options = {
    count,
    getScrollElement: () => scroller.current,
    getItemKey: keyAt,
    estimateSize: estimatedHeightPx,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    overscan: OVERSCAN,
    paddingStart: paddingTopPx,
    paddingEnd: PADDING_END_PX,
    anchorTo: "end" as const,
    followOnAppend: true,
    scrollEndThreshold: END_THRESHOLD_PX,
    rangeExtractor: (range: Range) => {
      const { wanted, now } = rowsToDraw(range, {
        isDrawn: (index) => drawn.current.has(keyAt(index)),
        room: FRESH_ROWS - fresh.current,
        fromEnd: made.current?.isAtEnd(END_THRESHOLD_PX) === true,
        pinned,
      });
      lacking.current = now.length < wanted;
      return now;
    },
    onChange: () => redraw(undefined),
  };
  made.current ??= new Virtualizer<HTMLElement, HTMLElement>(options);
  const virtualizer = made.current;
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  useLayoutEffect(() => {
    const before = drawn.current;
    drawn.current = new Set(virtualizer.getVirtualItems().map(({ key }) => String(key)));
    for (const key of drawn.current) if (!before.has(key)) fresh.current += 1;
    if (fresh.current === 0) return undefined;
    return afterFrame(() => {
      fresh.current = 0;
      if (lacking.current) redraw(undefined);
    });
  });
  return virtualizer;
}

/** Runs `task` once the frame that is being made has been painted. Answers what cancels it. */
function afterFrame(task: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const frame = requestAnimationFrame(() => {
    timer = setTimeout(task);
  });
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}

/** What part of a range is drawn now: what is drawn already, and the nearest to where the reader is of what is not. */
export function rowsToDraw(
  { startIndex, endIndex, overscan, count }: Range,
  { isDrawn, room, fromEnd, pinned }: Reading,
) {
  const first = Math.max(0, startIndex - overscan);
  const last = Math.min(count - 1, endIndex + overscan);
  const wanted = Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  const from = fromEnd ? endIndex : startIndex;
  const distance = (index: number): number =>
    Math.abs(index - from) + (index < startIndex || index > endIndex ? count : 0);
  const fresh = wanted.filter((index) => !isDrawn(index)).toSorted((a, b) => distance(a) - distance(b));
  const later = new Set(fresh.slice(Math.max(0, room)));
  const outside = pinned.filter((index) => index >= 0 && index < count && (index < first || index > last));
  const now = [...wanted.filter((index) => !later.has(index)), ...outside].toSorted((a, b) => a - b);
  return { now, wanted: wanted.length + outside.length };
}

interface Reading {
  readonly isDrawn: (index: number) => boolean;
  /** How many may be drawn for the first time. */
  readonly room: number;
  /** The reader is at the list's end. */
  readonly fromEnd: boolean;
  /** Drawn wherever they are. */
  readonly pinned: readonly number[];
}

interface Range {
  readonly startIndex: number;
  readonly endIndex: number;
  readonly overscan: number;
  readonly count: number;
}
