import { Phone, PhoneOff, Video } from "lucide";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { useLive } from "../../app/client-context.ts";
import { directName, isDirect } from "../../app/direct.ts";
import { href } from "../../app/route.ts";
import { navigate } from "../../app/router.ts";
import { useVoiceHub } from "../../app/voice.ts";
import { voicePrefs } from "../../app/voice-prefs.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Button } from "../../ui/button.tsx";
import type { IncomingCall } from "../../sync/voice-line.ts";
import { ring } from "../../voice/cues.ts";
import "./call-panel.css";
import { voiceWords } from "./words.ts";

export interface RingDialogProps {
  readonly call: IncomingCall;
}

/** Somebody calls: it rings, is read out at once, and can be answered from wherever one is. */
export function RingDialog({ call }: RingDialogProps) {
  const live = useLive();
  const hub = useVoiceHub();
  const words = voiceWords.value;
  const id = useId();
  const card = useRef<HTMLDivElement>(null);
  const { channelId, callerId } = call;
  const name = live.person(callerId).value?.displayName ?? "…";
  const channel = live.channel(channelId).value;
  const isGroup = channel !== undefined && isDirect(channel) && channel.type === "group_dm";
  const title = isGroup
    ? words.incomingIn({ name, place: directName(channel, live.self.value.id) })
    : words.incoming({ name });
  const quiet = live.ownStatus.value.status === "dnd";
  useEffect(() => (quiet ? undefined : ring(voicePrefs.prefs.peek().speakerId)), [call.callId, quiet]);

  /** Where the focus came from: it goes back there with the card. */
  const before = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const element = card.current;
    return () => {
      if (element?.contains(document.activeElement) === true) before.current?.focus({ preventScroll: true });
    };
  }, []);

  function accept(camera: boolean): void {
    live.voice.call("accept", channelId).catch(() => undefined);
    hub.join(channelId, camera);
    navigate(href({ name: "dm", channelId }));
  }
  function decline(): void {
    live.voice.call("decline", channelId).catch(() => undefined);
  }

  return (
    <div class="ring">
      <div
        class="ring-card"
        ref={card}
        role="alertdialog"
        aria-labelledby={id}
        onFocusIn={({ relatedTarget }) => {
          if (relatedTarget instanceof HTMLElement && card.current?.contains(relatedTarget) !== true) {
            before.current = relatedTarget;
          }
        }}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.preventDefault();
          decline();
        }}
      >
        <Avatar id={callerId} name={name} side={56} />
        <p class="ring-title" id={id} role="alert" aria-live="assertive">
          {title}
        </p>
        <div class="ring-actions">
          <Button kind="danger-quiet" icon={PhoneOff} onClick={decline}>
            {words.decline}
          </Button>
          <Button icon={Video} onClick={() => accept(true)}>
            {words.acceptVideo}
          </Button>
          <Button kind="primary" icon={Phone} onClick={() => accept(false)}>
            {words.accept}
          </Button>
        </div>
      </div>
    </div>
  );
}
