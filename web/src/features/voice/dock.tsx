import type { Channel, DirectChannel } from "@lescopains/protocol/entities";
import { Signal, SignalLow, SignalMedium } from "lucide";
import { useLive } from "../../app/client-context.ts";
import { channelName } from "../../app/direct.ts";
import { numberFormat } from "../../app/i18n.ts";
import { href } from "../../app/route.ts";
import { Icon } from "../../ui/icon.tsx";
import { type Grade, gradeOf } from "../../voice/quality.ts";
import type { Voice } from "../../voice/voice.ts";
import { Controls } from "./controls.tsx";
import "./dock.css";
import { CallNotices } from "./notices.tsx";
import { voiceWords } from "./words.ts";

const percent = numberFormat({ style: "percent", maximumFractionDigits: 1 });
const QUALITY_ICON = { good: Signal, fair: SignalMedium, poor: SignalLow } as const satisfies Record<Grade, unknown>;

/** Where the room of a channel is. */
export function roomPath(channel: Channel | DirectChannel): string {
  return channel.serverId === null
    ? href({ name: "dm", channelId: channel.id })
    : href({ name: "channel", serverId: channel.serverId, channelId: channel.id });
}

export interface VoiceProps {
  readonly voice: Voice;
}

export interface DockProps extends VoiceProps {
  /** The stage of the call is in view too, and says what does not work. */
  readonly onStage: boolean;
}

/** The call one is in, at the foot of the channels, wherever one looks. */
export function VoiceDock({ voice, onStage }: DockProps) {
  const live = useLive();
  const words = voiceWords.value;
  const state = voice.state.value;
  if (state.kind === "idle") return null;
  const channel = live.channel(state.channelId).value;
  const name = channel === undefined ? "…" : channelName(channel, live.self.value.id);
  const status =
    state.kind === "joined" ? words.connected : state.kind === "joining" ? words.joining : words.reconnecting;
  return (
    <section class="dock" aria-label={words.dock}>
      <div class="dock-head">
        <QualityMark voice={voice} />
        <div class="dock-text">
          <p class="dock-status" data-kind={state.kind}>
            {status}
          </p>
          {channel === undefined ? (
            <span class="one-line">{name}</span>
          ) : (
            <a class="dock-room one-line" href={roomPath(channel)} aria-label={words.toRoom({ name })}>
              {name}
            </a>
          )}
        </div>
      </div>
      {!onStage && <CallNotices voice={voice} />}
      <Controls voice={voice} place="dock" />
    </section>
  );
}

/** How good one's own connection is: by shape and words, with the numbers in the hint. */
function QualityMark({ voice }: { readonly voice: Voice }) {
  const words = voiceWords.value;
  const quality = voice.quality.value;
  const joined = voice.state.value.kind === "joined";
  // On the way in nothing is known of it, and nothing is wrong.
  if (voice.state.value.kind === "joining") {
    return (
      <span class="dock-quality" data-grade="none">
        <span class="button-spinner" aria-hidden="true" />
      </span>
    );
  }
  const grade: Grade = !joined ? "poor" : quality === null ? "good" : gradeOf(quality);
  const label = words[`quality_${grade}`];
  const text =
    quality === null || !joined
      ? label
      : words.qualityHint({
          grade: label,
          ms: Math.round(quality.rttMs ?? 0),
          loss: percent.value.format(quality.loss),
          kbps: Math.round(quality.sentKbps + quality.receivedKbps),
        });
  return (
    <span class="dock-quality" data-grade={grade} role="img" aria-label={text} data-hint={text}>
      <Icon node={QUALITY_ICON[grade]} size={18} />
    </span>
  );
}
