import type { ServerId, ChannelId } from "@lescopains/protocol/ids";
import { signal } from "@preact/signals";
import { keep, kept } from "../kept.ts";
import { narrow, wide } from "../narrow.ts";
import { href, type Route } from "../route.ts";
import { navigate, navigateUp } from "../router.ts";

/** Views that the frame draws; the others have the page to themselves. */
export type FrameRoute = Extract<Route, { name: "home" | "new" | "server" | "channel" | "members" }>;

/** Whether the members stand beside the conversation where there is room; kept. */
const membersBeside = signal(kept("members") !== "folded");

/** Which panel a small screen shows. */
export function panelOf(view: FrameRoute): "list" | "content" | "members" {
  if (view.name === "server") return "list";
  return view.name === "members" ? "members" : "content";
}

/** Where the members are, if anywhere: beside the conversation, over it, or instead of it. */
export function asideOf(view: FrameRoute): "none" | "beside" | "over" {
  if (view.name !== "channel" && view.name !== "members") return "none";
  if (wide.value) return membersBeside.value || view.name === "members" ? "beside" : "none";
  return view.name === "members" ? "over" : "none";
}

interface Place {
  readonly serverId: ServerId;
  readonly channelId: ChannelId;
}

/** Shows or folds the members: a matter of taste where there is room, a step that Back undoes where there is not. */
export function toggleMembers(view: FrameRoute, place: Place): void {
  const conversation = href({ name: "channel", ...place });
  const shown = asideOf(view) !== "none";
  if (wide.peek()) {
    membersBeside.value = !shown;
    keep("members", shown ? "folded" : null);
    if (view.name === "members") navigate(conversation, { replace: true });
  } else if (shown) navigateUp(conversation);
  else navigate(href({ name: "members", ...place }));
}

/** Shortest way of a finger that counts as a swipe, and how far it may stray, in CSS pixels. */
const SWIPE_PX = 64;
const STRAY_PX = 48;
/** The platform's own back gesture begins here. */
const EDGE_PX = 24;

function scrollsSideways(target: EventTarget | null): boolean {
  for (let at = target instanceof Element ? target : null; at !== null; at = at.parentElement) {
    if (at.scrollWidth > at.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(at).overflowX)) return true;
  }
  return false;
}

/** Tells of swipes over an element on small screens; the answer ends it. */
export function onSwipe(element: HTMLElement, swiped: (direction: "left" | "right") => void): () => void {
  const ending = new AbortController();
  const options = { signal: ending.signal, passive: true };
  let start: { readonly x: number; readonly y: number } | undefined;
  element.addEventListener(
    "touchstart",
    (event) => {
      const touch = event.touches[0];
      const usable = event.touches.length === 1 && touch !== undefined && touch.clientX > EDGE_PX;
      start = usable && !scrollsSideways(event.target) ? { x: touch.clientX, y: touch.clientY } : undefined;
    },
    options,
  );
  element.addEventListener(
    "touchend",
    (event) => {
      const touch = event.changedTouches[0];
      if (start === undefined || touch === undefined || !narrow.peek()) return;
      const [dx, dy] = [touch.clientX - start.x, touch.clientY - start.y];
      start = undefined;
      if (Math.abs(dx) < SWIPE_PX || Math.abs(dy) > STRAY_PX || getSelection()?.isCollapsed === false) return;
      swiped(dx < 0 ? "left" : "right");
    },
    options,
  );
  return () => ending.abort();
}

/** What a swipe means in a view. */
export function swipe(view: FrameRoute, direction: "left" | "right", last: ChannelId | undefined): void {
  if (view.name === "channel" && direction === "right") navigateUp(href({ name: "server", serverId: view.serverId }));
  else if (view.name === "channel") navigate(href({ ...view, name: "members" }));
  else if (view.name === "members" && direction === "right") navigateUp(href({ ...view, name: "channel" }));
  else if (view.name === "server" && direction === "left" && last !== undefined) {
    navigate(href({ name: "channel", serverId: view.serverId, channelId: last }));
  }
}
