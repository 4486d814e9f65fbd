import { errorText } from "../../app/errors.ts";
import { Button } from "../../ui/button.tsx";
import { Notice } from "../../ui/notice.tsx";
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
  const refusal = voice.own.refusal.value;
  const refused = refusal === null ? undefined : mediaErrorText(refusal);
  const sendRefused = voice.sendRefused.value;
  const { kind } = voice.state.value;
  const isMicrophone = refusal?.wish === "microphone";
  return (
    <>
      {kind === "reconnecting" && <Notice kind="caution">{words.reconnectingHelp}</Notice>}
      {refused !== undefined && (
        <Notice kind="danger">
          {refused} {isMicrophone && words.micOff}
          {isMicrophone && (
            <Button kind="quiet" onClick={() => voice.own.setMuted(false)}>
              {words.tryAgain}
            </Button>
          )}
        </Notice>
      )}
      {voice.member.value?.serverMuted === true && <Notice>{words.serverMutedYou}</Notice>}
      {voice.member.value?.serverDeafened === true && <Notice>{words.serverDeafenedYou}</Notice>}
      {sendRefused !== null && (
        <Notice kind="caution">{sendRefused === "forbidden" ? words.sendForbidden : words.sendFailed}</Notice>
      )}
    </>
  );
}
