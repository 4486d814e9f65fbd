import { route } from "../router.ts";
import { VoiceDock } from "../views.ts";
import { useVoiceHub } from "../voice.ts";

/** The call one is in, at the foot of the lists. */
export function Dock() {
  const voice = useVoiceHub().voice.value;
  const state = voice?.state.value;
  if (voice === null || state === undefined || state.kind === "idle") return null;
  const view = route.value;
  return <VoiceDock voice={voice} onStage={"channelId" in view && view.channelId === state.channelId} />;
}
