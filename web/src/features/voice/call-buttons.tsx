import type { DirectChannel } from "@lescopains/protocol/entities";
import { Phone, Video } from "lucide";
import { useLive } from "../../app/client-context.ts";
import { useVoiceHub } from "../../app/voice.ts";
import { IconButton } from "../../ui/button.tsx";
import { voiceWords } from "./words.ts";

/** Begins a call, or comes into the one that goes on. */
export function CallButtons({ channel }: { readonly channel: DirectChannel }) {
  const live = useLive();
  const hub = useVoiceHub();
  const words = voiceWords.value;
  const state = hub.voice.value?.state.value;
  const isHere = state !== undefined && state.kind !== "idle" && state.channelId === channel.id;
  if (isHere) return null;
  const isOngoing = (live.voice.roster(channel.id).value?.members.length ?? 0) > 0;
  const label = isOngoing ? words.join : words.call;
  return (
    <>
      <IconButton data-landing="" icon={Phone} label={label} onClick={() => hub.call(channel.id, false)} />
      <IconButton icon={Video} label={words.videoCall} onClick={() => hub.call(channel.id, true)} />
    </>
  );
}
