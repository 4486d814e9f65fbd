import type { ChannelId } from "@lescopains/protocol/ids";
import { narrow } from "../narrow.ts";
import { VoiceDock, VoiceStrip } from "../views.ts";
import { useVoiceHub } from "../voice.ts";

/** The call one is in, at the foot of the lists. */
export function Dock() {
  const voice = useVoiceHub().voice.value;
  return voice === null || voice.state.value.kind === "idle" ? null : <VoiceDock voice={voice} />;
}

/** On a small screen, the way back to the call from wherever else one is. */
export function Strip({ hereId }: { readonly hereId: ChannelId | undefined }) {
  const voice = useVoiceHub().voice.value;
  const state = voice?.state.value;
  if (voice === null || state === undefined || state.kind === "idle" || !narrow.value) return null;
  return state.channelId === hereId ? null : <VoiceStrip voice={voice} />;
}
