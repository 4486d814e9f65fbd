import { useLive } from "../../app/client-context.ts";
import { channelName } from "../../app/direct.ts";
import { Mic, MicOff } from "lucide";
import { IconButton } from "../../ui/button.tsx";
import { roomPath, type VoiceProps } from "./dock.tsx";
import "./dock.css";
import { voiceWords } from "./words.ts";

/** On a small screen, while one reads something else: the way back to the call, and the microphone. */
export function VoiceStrip({ voice }: VoiceProps) {
  const live = useLive();
  const words = voiceWords.value;
  const state = voice.state.value;
  const channel = state.kind === "idle" ? undefined : live.channel(state.channelId).value;
  if (channel === undefined) return null;
  const muted = voice.own.muted.value;
  return (
    <div class="strip">
      <a class="one-line" href={roomPath(channel)}>
        {words.toRoom({ name: channelName(channel, live.self.value.id) })}
      </a>
      <IconButton
        icon={muted ? MicOff : Mic}
        label={muted ? words.unmute : words.mute}
        onClick={() => voice.own.setMuted(!muted)}
      />
    </div>
  );
}
