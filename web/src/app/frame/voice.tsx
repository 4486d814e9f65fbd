import { VoiceDock } from "../views.ts";
import { useVoiceHub } from "../voice.ts";

/** The call one is in, at the foot of the lists. */
export function Dock() {
  const voice = useVoiceHub().voice.value;
  return voice === null || voice.state.value.kind === "idle" ? null : <VoiceDock voice={voice} />;
}
