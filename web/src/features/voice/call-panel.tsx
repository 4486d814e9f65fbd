import type { DirectChannel } from "@lescopains/protocol/entities";
import { PhoneCall, PhoneOff } from "lucide";
import { useLive } from "../../app/client-context.ts";
import { listNames } from "../../app/direct.ts";
import { useVoiceHub } from "../../app/voice.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Notice } from "../../ui/notice.tsx";
import type { Voice } from "../../voice/voice.ts";
import { CallView } from "./call-view.tsx";
import "./call-panel.css";
import { useLanding } from "./landing.ts";
import { endingText } from "./notices.tsx";
import { voiceWords } from "./words.ts";

export interface CallPanelProps {
  readonly channel: DirectChannel;
}

/** Above a direct conversation: the call one is in, the one that goes on without one, or why it ended. */
export function CallPanel({ channel }: CallPanelProps) {
  const live = useLive();
  const hub = useVoiceHub();
  const words = voiceWords.value;
  const voice = hub.voice.value;
  const state = voice?.state.value;
  const roster = live.voice.roster(channel.id).value;
  const isHere = voice !== null && state !== undefined && state.kind !== "idle" && state.channelId === channel.id;
  useLanding(".call-panel .controls-stage .control, .bar [data-landing]", isHere);
  if (isHere) {
    return (
      <div class="call-panel">
        <Ringing voice={voice} channel={channel} />
        <CallView voice={voice} channelId={channel.id} />
      </div>
    );
  }
  const ended = state?.kind === "idle" && state.ended?.channelId === channel.id ? state.ended : undefined;
  const selfId = live.self.value.id;
  const members = roster?.members ?? [];
  const names = members
    .filter(({ userId }) => userId !== selfId)
    .map(({ userId }) => live.person(userId).value?.displayName ?? "…");
  const alreadyIn = members.some(({ userId }) => userId === selfId);
  if (members.length === 0 && ended === undefined && !hub.failed.value) return null;
  return (
    <div class="call-line">
      {ended !== undefined && (
        <Notice kind={ended.why.kind === "ended" ? "info" : "danger"}>{endingText(ended)}</Notice>
      )}
      {hub.failed.value && <Notice kind="danger">{words.failed}</Notice>}
      {members.length > 0 && (
        <p class="call-ongoing">
          <Icon node={PhoneCall} size={18} />
          <span>
            {names.length > 0 && words.ongoing({ names: listNames(names) })} {alreadyIn && words.alreadyIn}
          </span>
          <Button kind="primary" busy={hub.loading.value === channel.id} onClick={() => hub.join(channel.id)}>
            {words.join}
          </Button>
        </p>
      )}
    </div>
  );
}

/** Whom one calls, until they answer. */
function Ringing({ channel }: CallPanelProps & { readonly voice: Voice }) {
  const live = useLive();
  const words = voiceWords.value;
  const ringing = live.voice.roster(channel.id).value?.ringing;
  if (ringing === undefined || ringing === null || ringing.callerId !== live.self.value.id) return null;
  return (
    <p class="call-ringing" role="status">
      <span class="call-pulse">
        <Icon node={PhoneCall} size={18} />
      </span>
      <span>{words.ringing}</span>
      <IconButton
        icon={PhoneOff}
        label={words.cancelCall}
        onClick={() => void live.voice.call("cancel", channel.id).catch(() => undefined)}
      />
    </p>
  );
}
