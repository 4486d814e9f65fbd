import type { ChannelId } from "@lescopains/protocol/ids";
import { isFrameRoute, panelOf } from "./frame/panels.ts";
import { narrow } from "./narrow.ts";
import type { Route } from "./route.ts";
import { CallBar } from "./views.ts";
import { useVoiceHub } from "./voice.ts";

/** Whether a view shows the call by itself: at the foot of its lists, or on its stage. */
function showsCall(view: Route, channelId: ChannelId): boolean {
  if (!isFrameRoute(view)) return false;
  if (!narrow.value || panelOf(view) === "list") return true;
  return (view.name === "channel" || view.name === "dm") && view.channelId === channelId;
}

/** Above every view that does not show the call one is in: that it goes on, the microphone, and the way out. */
export function CallTop({ view }: { readonly view: Route }) {
  const voice = useVoiceHub().voice.value;
  const state = voice?.state.value;
  if (voice === null || state === undefined || state.kind === "idle" || showsCall(view, state.channelId)) return null;
  // From what stands in front of the call it is a step back.
  return <CallBar voice={voice} up={"channelId" in view && view.channelId === state.channelId} />;
}
