import type { ChannelId } from "@lescopains/protocol/ids";
import type { VoiceMember } from "@lescopains/protocol/voice";
import { useLive } from "../../app/client-context.ts";
import { useVoiceHub } from "../../app/voice.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Marks } from "./marks.tsx";
import { stateWords } from "./people.ts";
import "./roster.css";
import { voiceWords } from "./words.ts";

/** Who is in a voice channel, below its name in the list. */
export function VoiceRoster({ channelId }: { readonly channelId: ChannelId }) {
  const live = useLive();
  const roster = live.voice.roster(channelId).value;
  if (roster === undefined || roster.members.length === 0) return null;
  return (
    <ul class="voice-roster" aria-label={voiceWords.value.people}>
      {roster.members.map((member) => (
        <RosterRow key={member.joinId} channelId={channelId} member={member} />
      ))}
    </ul>
  );
}

interface RosterRowProps {
  readonly channelId: ChannelId;
  readonly member: VoiceMember;
}

function RosterRow({ channelId, member }: RosterRowProps) {
  const live = useLive();
  const voice = useVoiceHub().voice.value;
  const state = voice?.state.value;
  const isHere = state !== undefined && state.kind !== "idle" && state.channelId === channelId;
  const speaking = isHere && voice?.speaking.value.has(member.userId) === true;
  const name = live.person(member.userId).value?.displayName ?? "…";
  return (
    <li class="voice-person" data-speaking={speaking}>
      <Avatar id={member.userId} name={name} side={22} />
      <span class="one-line">{name}</span>
      <Marks member={member} size={14} />
      <span class="aside-text">{stateWords(member, false)}</span>
    </li>
  );
}
