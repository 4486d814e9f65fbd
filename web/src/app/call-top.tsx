import type { ChannelId } from "@lescopains/protocol/ids";
import { chatShown, type FrameRoute, panelOf } from "./frame/panels.ts";
import { narrow } from "./narrow.ts";
import type { Route } from "./route.ts";
import { CallBar } from "./views.ts";
import { useVoiceHub } from "./voice.ts";

const IN_FRAME: ReadonlySet<Route["name"]> = new Set<FrameRoute["name"]>([
  "home",
  "new",
  "server",
  "channel",
  "members",
  "dms",
  "newDm",
  "dm",
  "dmPeople",
  "safety",
]);

function isInFrame(view: Route): view is FrameRoute {
  return IN_FRAME.has(view.name);
}

/** Whether a view shows the call by itself: at the foot of its lists, or on its stage. */
function showsCall(view: Route, channelId: ChannelId): boolean {
  if (!isInFrame(view)) return false;
  if (!narrow.value || panelOf(view) === "list") return true;
  return (view.name === "channel" || view.name === "dm") && view.channelId === channelId && !chatShown.value;
}

/** Above every view that does not show the call one is in: that it goes on, the microphone, and the way out. */
export function CallTop({ view }: { readonly view: Route }) {
  const voice = useVoiceHub().voice.value;
  const state = voice?.state.value;
  if (voice === null || state === undefined || state.kind === "idle" || showsCall(view, state.channelId)) return null;
  return (
    <CallBar
      voice={voice}
      onReturn={() => {
        if (narrow.peek()) chatShown.value = false;
      }}
    />
  );
}
