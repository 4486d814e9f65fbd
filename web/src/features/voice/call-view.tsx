import type { ChannelId } from "@lescopains/protocol/ids";
import { useSignal } from "@preact/signals";
import { LayoutGrid, Lock, PictureInPicture2, Settings, UserSquare } from "lucide";
import { useLive } from "../../app/client-context.ts";
import { channelName } from "../../app/direct.ts";
import { keep, kept } from "../../app/kept.ts";
import { href } from "../../app/route.ts";
import { navigate } from "../../app/router.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { say } from "../../ui/toasts.tsx";
import type { Voice } from "../../voice/voice.ts";
import { Controls } from "./controls.tsx";
import { useLanding } from "./landing.ts";
import { CallNotices } from "./notices.tsx";
import { openPopOut, PopOut } from "./pop-out.tsx";
import "./room-view.css";
import { SafetyDialog } from "./safety-dialog.tsx";
import { Stage } from "./stage.tsx";
import { TalkButton } from "./talk-button.tsx";
import { voiceWords } from "./words.ts";

const VIEW_KEY = "voice-view";

interface CallViewProps {
  readonly voice: Voice;
  readonly channelId: ChannelId;
}

/** The call one is in: everyone, and what one does about oneself. */
export function CallView({ voice, channelId }: CallViewProps) {
  const live = useLive();
  const words = voiceWords.value;
  const speakerView = useSignal(kept(VIEW_KEY) === "speaker");
  const comparing = useSignal(false);
  const apart = useSignal<Window | null>(null);
  const channel = live.channel(channelId).value;
  const name = channel === undefined ? "" : channelName(channel, live.self.value.id);

  useLanding(".call-popped .button, .call-foot [data-landing]", apart.value !== null);

  async function popOut(): Promise<void> {
    apart.value = (await openPopOut()) ?? null;
    if (apart.value === null) say(voiceWords.value.failed);
  }

  return (
    <div class="call">
      <div class="call-notices">
        <CallNotices voice={voice} />
      </div>
      {apart.value === null ? (
        <Stage voice={voice} channelId={channelId} speakerView={speakerView.value} />
      ) : (
        <div class="call-popped">
          <p>{words.popped}</p>
          <Button icon={PictureInPicture2} onClick={() => (apart.value = null)}>
            {words.popIn}
          </Button>
          <PopOut target={apart.value} title={words.popTitle({ name })} onClosed={() => (apart.value = null)}>
            <Stage voice={voice} channelId={channelId} speakerView={speakerView.value} apart />
            <Controls voice={voice} place="stage" />
          </PopOut>
        </div>
      )}
      <div class="call-foot">
        <TalkButton voice={voice} />
        <div class="call-side">
          <IconButton icon={Lock} label={words.safety} onClick={() => (comparing.value = true)} />
        </div>
        <Controls voice={voice} place="stage" />
        <div class="call-side">
          <IconButton
            icon={speakerView.value ? LayoutGrid : UserSquare}
            label={speakerView.value ? words.grid : words.speaker}
            onClick={() => {
              speakerView.value = !speakerView.value;
              keep(VIEW_KEY, speakerView.value ? "speaker" : null);
            }}
          />
          {apart.value === null && (
            <IconButton data-landing="" icon={PictureInPicture2} label={words.popOut} onClick={() => void popOut()} />
          )}
          <IconButton
            icon={Settings}
            label={words.settings}
            onClick={() => navigate(href({ name: "settings", page: "voice" }))}
          />
        </div>
      </div>
      {comparing.value && <SafetyDialog voice={voice} onClose={() => (comparing.value = false)} />}
    </div>
  );
}
