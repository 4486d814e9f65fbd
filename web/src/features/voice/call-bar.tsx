import { PhoneCall } from "lucide";
import { useLive } from "../../app/client-context.ts";
import { channelName } from "../../app/direct.ts";
import { Icon } from "../../ui/icon.tsx";
import "./call-bar.css";
import { Controls } from "./controls.tsx";
import { roomPath, type VoiceProps } from "./dock.tsx";
import { voiceWords } from "./words.ts";

export interface CallBarProps extends VoiceProps {
  /** The room is what the view in front of it was opened from. */
  readonly up: boolean;
}

/** Above whatever else is in view: the call one is in, the way back to it, and the way out. */
export function CallBar({ voice, up }: CallBarProps) {
  const live = useLive();
  const words = voiceWords.value;
  const state = voice.state.value;
  const channel = state.kind === "idle" ? undefined : live.channel(state.channelId).value;
  if (channel === undefined) return null;
  const name = channelName(channel, live.self.value.id);
  return (
    <section class="call-bar" data-kind={state.kind} aria-label={words.dock}>
      <a href={roomPath(channel)} aria-label={words.toRoom({ name })} data-up={up ? "" : undefined}>
        <Icon node={PhoneCall} size={18} />
        <span class="one-line">{name}</span>
      </a>
      {state.kind !== "joined" && (
        <span class="call-bar-state">{state.kind === "joining" ? words.joining : words.reconnecting}</span>
      )}
      <Controls voice={voice} place="bar" />
    </section>
  );
}
