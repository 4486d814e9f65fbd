import { errorText } from "../../app/errors.ts";
import { Button } from "../../ui/button.tsx";
import { Notice } from "../../ui/notice.tsx";
import type { MediaError } from "../../voice/media-refusal.ts";
import type { VoiceEnding } from "../../voice/session.ts";
import type { Voice } from "../../voice/voice.ts";
import { mediaErrorText } from "./media-text.ts";
import { voiceWords } from "./words.ts";

/** Why one is no longer in a call, in plain words. */
export function endingText({ why }: VoiceEnding): string {
  const words = voiceWords.value;
  switch (why.kind) {
    case "ended":
      return words[`ended_${why.reason}`];
    case "refused":
      return why.code === "forbidden" ? words.notAllowed : errorText(why);
    default:
      return words[why.kind];
  }
}

/** What does not work in the call one is in: the microphone, a right, the connection. */
export function CallNotices({ voice }: { readonly voice: Voice }) {
  const words = voiceWords.value;
  const sendRefused = voice.sendRefused.value;
  const { kind } = voice.state.value;
  return (
    <>
      {kind === "reconnecting" && <Notice kind="caution">{words.reconnectingHelp}</Notice>}
      {voice.own.refusals.value.map((refusal) => (
        <MediaNotice key={refusal.wish} voice={voice} refusal={refusal} />
      ))}
      {voice.member.value?.serverMuted === true && <Notice>{words.serverMutedYou}</Notice>}
      {voice.member.value?.serverDeafened === true && <Notice>{words.serverDeafenedYou}</Notice>}
      {sendRefused !== null && (
        <Notice kind="caution">{sendRefused === "forbidden" ? words.sendForbidden : words.sendFailed}</Notice>
      )}
    </>
  );
}

function MediaNotice({ voice, refusal }: { readonly voice: Voice; readonly refusal: MediaError }) {
  const words = voiceWords.value;
  const text = mediaErrorText(refusal);
  if (text === undefined) return null;
  const isMicrophone = refusal.wish === "microphone";
  return (
    <Notice kind="danger">
      {text} {isMicrophone && words.micOff}
      {isMicrophone && (
        <Button kind="quiet" onClick={() => voice.own.setMuted(false)}>
          {words.tryAgain}
        </Button>
      )}
    </Notice>
  );
}
