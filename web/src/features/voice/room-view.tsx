import type { Channel, DirectChannel } from "@lescopains/protocol/entities";
import { Lock, MicOff, PhoneCall } from "lucide";
import type { ComponentChildren } from "preact";
import { useLive } from "../../app/client-context.ts";
import { channelName, isDirect } from "../../app/direct.ts";
import { may } from "../../app/rights.ts";
import { href } from "../../app/route.ts";
import { useVoiceHub } from "../../app/voice.ts";
import { voicePrefs } from "../../app/voice-prefs.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Button } from "../../ui/button.tsx";
import { Switch } from "../../ui/field.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Notice } from "../../ui/notice.tsx";
import { CallView } from "./call-view.tsx";
import { useLanding } from "./landing.ts";
import { endingText } from "./notices.tsx";
import "./room-view.css";
import { voiceWords } from "./words.ts";

export interface VoiceRoomProps {
  readonly channel: Channel;
  /** The channel's written conversation stands beside, or instead of, the call. */
  readonly chat: ComponentChildren;
  readonly chatShown: boolean;
}

/** A voice channel: its call, and what is written there. */
export function VoiceRoom({ channel, chat, chatShown }: VoiceRoomProps) {
  const hub = useVoiceHub();
  const voice = hub.voice.value;
  const state = voice?.state.value;
  const isHere = state !== undefined && state.kind !== "idle" && state.channelId === channel.id;
  useLanding(".voice-main .controls-stage .control, .voice-main .lobby .button-primary", isHere);
  return (
    <div class="voice-room" data-chat={chatShown}>
      <div class="voice-main">
        {isHere && voice !== null ? <CallView voice={voice} channelId={channel.id} /> : <Lobby channel={channel} />}
      </div>
      {chatShown && <div class="voice-chat">{chat}</div>}
    </div>
  );
}

/** Before one comes in: who is there, and the door. */
function Lobby({ channel }: { readonly channel: Channel | DirectChannel }) {
  const live = useLive();
  const hub = useVoiceHub();
  const words = voiceWords.value;
  const members = live.voice.roster(channel.id).value?.members ?? [];
  const state = hub.voice.value?.state.value;
  const ended = state?.kind === "idle" && state.ended?.channelId === channel.id ? state.ended : undefined;
  const elsewhere = state !== undefined && state.kind !== "idle" ? live.channel(state.channelId).value : undefined;
  const mayJoin = isDirect(channel) || may(channel.permissions, "connect");
  return (
    <div class="lobby">
      {members.length > 0 ? (
        <ul class="lobby-people">
          {members.slice(0, 8).map(({ userId, joinId }) => {
            const name = live.person(userId).value?.displayName ?? "…";
            return (
              <li key={joinId}>
                <Avatar id={userId} name={name} side={56} />
                <span class="one-line">{name}</span>
              </li>
            );
          })}
        </ul>
      ) : (
        <span class="lobby-picture">
          <Icon node={PhoneCall} size={28} />
        </span>
      )}
      <h2>{members.length === 0 ? words.emptyTitle : words.here(members.length)}</h2>
      {members.length === 0 && <p class="muted">{words.emptyHelp}</p>}
      {ended !== undefined && (
        <Notice kind={ended.why.kind === "ended" ? "info" : "danger"}>{endingText(ended)}</Notice>
      )}
      {ended?.why.kind === "refused" && ended.why.code === "device_required" && (
        <a class="button button-plain" href={href({ name: "dms" })}>
          {words.letIn}
        </a>
      )}
      {hub.failed.value && <Notice kind="danger">{words.failed}</Notice>}
      {members.some(({ userId }) => userId === live.self.value.id) && <p class="muted">{words.alreadyIn}</p>}
      {elsewhere !== undefined && (
        <p class="muted">{words.elsewhere({ name: channelName(elsewhere, live.self.value.id) })}</p>
      )}
      {mayJoin ? (
        <>
          <Button
            kind="primary"
            icon={PhoneCall}
            data-autofocus
            busy={hub.loading.value === channel.id}
            onClick={() => hub.join(channel.id)}
          >
            {ended === undefined ? words.join : words.rejoin}
          </Button>
          <div class="lobby-muted">
            <Icon node={MicOff} size={18} />
            <Switch
              label={words.mutedFirst}
              checked={voicePrefs.prefs.value.muted}
              onChecked={(muted) => voicePrefs.change({ muted })}
            />
          </div>
        </>
      ) : (
        <Notice>{words.notAllowed}</Notice>
      )}
      <p class="lobby-lock">
        <Icon node={Lock} size={16} />
        {words.encrypted}
      </p>
    </div>
  );
}
