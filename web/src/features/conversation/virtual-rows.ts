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
    rangeExtractor: ({ startIndex, endIndex, overscan, count: total }: Range) => {
      const first = Math.max(0, startIndex - overscan);
      const last = Math.min(total - 1, endIndex + overscan);
      const within = Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
      const outside = pinned.filter((index) => index >= 0 && index < total && (index < first || index > last));
      return outside.length === 0 ? within : [...within, ...outside].toSorted((a, b) => a - b);
    },
    onChange: () => redraw(undefined),
  };
  made.current ??= new Virtualizer<HTMLElement, HTMLElement>(options);
  const virtualizer = made.current;
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  return virtualizer;
}

interface Range {
  readonly startIndex: number;
  readonly endIndex: number;
  readonly overscan: number;
  readonly count: number;
}
