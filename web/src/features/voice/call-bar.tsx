import { PhoneCall } from "lucide";
import { useLive } from "../../app/client-context.ts";
import { channelName } from "../../app/direct.ts";
import { Icon } from "../../ui/icon.tsx";
import "./call-bar.css";
import { Controls } from "./controls.tsx";
import { roomPath, type VoiceProps } from "./dock.tsx";
import { voiceWords } from "./words.ts";

export interface CallBarProps extends VoiceProps {
  /** The way back was pressed, which may lead to where one is already. */
  readonly onReturn: () => void;
}

/** Above whatever else is in view: the call one is in, the way back to it, and the way out. */
export function CallBar({ voice, onReturn }: CallBarProps) {
  const live = useLive();
  const words = voiceWords.value;
  const state = voice.state.value;
  const channel = state.kind === "idle" ? undefined : live.channel(state.channelId).value;
  if (channel === undefined) return null;
  const name = channelName(channel, live.self.value.id);
  return (
    <section class="call-bar" data-kind={state.kind} aria-label={words.dock}>
      <a href={roomPath(channel)} aria-label={words.toRoom({ name })} onClick={onReturn}>
        <Icon node={PhoneCall} size={18} />
        <span class="one-line">{name}</span>
        {state.kind !== "joined" && (
          <span class="call-bar-state one-line">{state.kind === "joining" ? words.joining : words.reconnecting}</span>
        )}
      </a>
      <Controls voice={voice} place="bar" />
    </section>
  );
}
