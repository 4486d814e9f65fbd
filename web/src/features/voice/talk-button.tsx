import { Mic } from "lucide";
import { useEffect } from "preact/hooks";
import { voicePrefs } from "../../app/voice-prefs.ts";
import { Icon } from "../../ui/icon.tsx";
import type { Voice } from "../../voice/voice.ts";
import { keyName } from "./key-name.ts";
import { voiceWords } from "./words.ts";

/** Push-to-talk for whoever has no keyboard at hand, and how it works for whoever has. Nothing in the other modes. */
export function TalkButton({ voice: { own } }: { readonly voice: Voice }) {
  if (voicePrefs.prefs.value.activation !== "push" || own.muted.value) return null;
  return <HeldButton own={own} />;
}

function HeldButton({ own }: Pick<Voice, "own">) {
  const words = voiceWords.value;
  const { pushKey } = voicePrefs.prefs.value;
  const release = (): void => own.hold(false);
  // Gone under the finger, it is never told that it was let go.
  useEffect(() => release, [own]);
  return (
    <div class="talk-line">
      <button
        type="button"
        class="talk"
        onPointerDown={(event) => {
          // The finger may stray while one talks.
          event.currentTarget.setPointerCapture(event.pointerId);
          own.hold(true);
        }}
        onPointerUp={release}
        onPointerCancel={release}
        onContextMenu={(event) => event.preventDefault()}
        onKeyDown={({ key }) => {
          if (key === " " || key === "Enter") own.hold(true);
        }}
        onKeyUp={release}
        onBlur={release}
      >
        <Icon node={Mic} size={18} />
        {words.holdToTalk}
        <kbd>{keyName(pushKey)}</kbd>
      </button>
    </div>
  );
}
