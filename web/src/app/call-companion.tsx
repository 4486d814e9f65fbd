import type { CallId } from "@lescopains/protocol/ids";
import { useEffect, useRef } from "preact/hooks";
import { voiceWords } from "../features/voice/words.ts";
import { say } from "../ui/toasts.tsx";
import { useLive } from "./client-context.ts";
import { RingDialog, VoiceCompanion } from "./views.ts";
import { useVoiceHub } from "./voice.ts";

/** What goes with one through all views on account of calls: those that ring, those that were missed, the one that goes on. */
export function CallCompanion() {
  const live = useLive();
  const hub = useVoiceHub();
  useEffect(() => hub.close, [hub]);
  /** The call that was noted last: it may end for each of a group's people apart. */
  const noted = useRef<CallId>(undefined);
  /** The call that was answered here. */
  const answered = useRef<CallId>(undefined);
  useEffect(
    () =>
      live.voice.on("ringEnded", ({ channelId, callId, callerId, userIds, reason }) => {
        const selfId = live.self.peek().id;
        const nameOf = (id: typeof callerId): string => live.person(id).peek()?.displayName ?? "…";
        const words = voiceWords.value;
        if (userIds.includes(selfId)) {
          const state = hub.voice.peek()?.state.peek();
          const isHere = hub.loading.peek() === channelId || (state?.kind !== "idle" && state?.channelId === channelId);
          if (reason === "missed" || reason === "cancelled") say(words.missedToast({ name: nameOf(callerId) }));
          else if (answered.current !== callId && !isHere) say(words[`elsewhere_${reason}`]);
        }
        if (callerId !== selfId) return;
        const [first] = userIds;
        if (reason === "declined" && first !== undefined) say(words.declined({ name: nameOf(first) }));
        // Written by who called, like all that stands in a direct conversation: the server cannot. A group's call that somebody took was none.
        const taken =
          live.voice
            .roster(channelId)
            .peek()
            ?.members.some(({ userId }) => userId !== selfId) === true;
        if ((reason === "missed" || reason === "cancelled") && noted.current !== callId && !taken) {
          noted.current = callId;
          live.conversation(channelId).noteMissedCall?.(callId);
        }
      }),
    [live, hub],
  );
  const voice = hub.voice.value;
  const state = voice?.state.value;
  const call = live.voice.incoming.value.find(
    ({ channelId }) => state === undefined || state.kind === "idle" || state.channelId !== channelId,
  );
  return (
    <>
      {voice !== null && <VoiceCompanion voice={voice} />}
      {call !== undefined && (
        <RingDialog key={call.callId} call={call} onAnswer={() => (answered.current = call.callId)} />
      )}
    </>
  );
}
