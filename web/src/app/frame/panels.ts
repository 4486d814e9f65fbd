import { signal } from "@preact/signals";
import { keep, kept } from "../kept.ts";
import { narrow, wide } from "../narrow.ts";
import { href, type Route } from "../route.ts";
import { navigate, navigateUp } from "../router.ts";

/** Views that the frame draws; the others have the page to themselves. */
export type DirectRoute = Extract<Route, { name: "dms" | "newDm" | "dm" | "dmPeople" | "safety" }>;
export type PlaceRoute = Extract<Route, { name: "home" | "new" | "server" | "channel" | "members" | "chat" }>;
export type FrameRoute = PlaceRoute | DirectRoute;

const IN_FRAME: ReadonlySet<Route["name"]> = new Set<FrameRoute["name"]>([
  "home",
  "new",
  "server",
  "channel",
  "members",
  "chat",
  "dms",
  "newDm",
  "dm",
  "dmPeople",
  "safety",
]);

export function isFrameRoute(view: Route): view is FrameRoute {
  return IN_FRAME.has(view.name);
}

const DIRECT: ReadonlySet<Route["name"]> = new Set<DirectRoute["name"]>(["dms", "newDm", "dm", "dmPeople", "safety"]);

export function isDirectRoute(view: FrameRoute): view is DirectRoute {
  return DIRECT.has(view.name);
}

/** Whether the members stand beside the conversation where there is room; kept. */
const membersBeside = signal(kept("members") !== "folded");

/** Which panel a small screen shows. */
export function panelOf(view: FrameRoute): "list" | "content" | "members" {
  if (view.name === "server" || view.name === "dms") return "list";
  return view.name === "members" || view.name === "dmPeople" ? "members" : "content";
}

/** Where the members are, if anywhere: beside the conversation, over it, or instead of it. */
export function asideOf(view: FrameRoute): "none" | "beside" | "over" {
  const called = view.name === "members" || view.name === "dmPeople";
  if (!called && view.name !== "channel" && view.name !== "chat" && view.name !== "dm") return "none";
  if (wide.value) return membersBeside.value || called ? "beside" : "none";
  return called ? "over" : "none";
}

/** A conversation, and what stands beside it. */
export type ChannelRoute = Extract<FrameRoute, { name: "channel" | "members" | "chat" }>;
export type ConversationRoute = ChannelRoute | Extract<FrameRoute, { name: "dm" | "dmPeople" }>;

/** The address of a conversation without, or with, the panel of its people. */
function conversationPath(view: ConversationRoute, people: boolean): string {
  return "serverId" in view
    ? href({ ...view, name: people ? "members" : "channel" })
    : href({ ...view, name: people ? "dmPeople" : "dm" });
}

/** Shows or folds the members: a matter of taste where there is room, a step that Back undoes where there is not. */
export function toggleMembers(view: ConversationRoute): void {
  const conversation = conversationPath(view, false);
  const shown = asideOf(view) !== "none";
  if (wide.peek()) {
    membersBeside.value = !shown;
    keep("members", shown ? "folded" : null);
    if (panelOf(view) === "members") navigate(conversation, { replace: true });
  } else if (shown) navigateUp(conversation);
  else navigate(conversationPath(view, true));
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

/** What a swipe means in a view. `last`: the address that its list opens with. */
export function swipe(view: FrameRoute, direction: "left" | "right", last: string | undefined): void {
  switch (view.name) {
    case "channel":
    case "dm": {
      const list = view.name === "dm" ? href({ name: "dms" }) : href({ name: "server", serverId: view.serverId });
      if (direction === "right") navigateUp(list);
      else navigate(conversationPath(view, true));
      return;
    }
    case "members":
    case "chat":
    case "dmPeople":
      if (direction === "right") navigateUp(conversationPath(view, false));
      return;
    case "newDm":
      if (direction === "right") navigateUp(href({ name: "dms" }));
      return;
    case "server":
    case "dms":
      if (direction === "left" && last !== undefined) navigate(last);
      return;
    default:
  }
}
