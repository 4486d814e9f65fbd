import { Phone, PhoneOff, Video } from "lucide";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { useLive } from "../../app/client-context.ts";
import { directName, isDirect } from "../../app/direct.ts";
import { useKeys } from "../../app/keys.ts";
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
  /** It is accepted or declined here, and not by another client of the same person. */
  readonly onAnswer: () => void;
}

/** Somebody calls: it rings, is read out at once, and can be answered from wherever one is. */
export function RingDialog({ call, onAnswer }: RingDialogProps) {
  const live = useLive();
  const hub = useVoiceHub();
  const device = useKeys().device.value.kind;
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
    onAnswer();
    live.voice.call("accept", channelId).catch(() => undefined);
    hub.join(channelId, camera);
    navigate(href({ name: "dm", channelId }));
  }
  function decline(): void {
    onAnswer();
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
          {device === "ready" || device === "starting" ? (
            <>
              <Button icon={Video} onClick={() => accept(true)}>
                {words.acceptVideo}
              </Button>
              <Button kind="primary" icon={Phone} onClick={() => accept(false)}>
                {words.accept}
              </Button>
            </>
          ) : (
            // Calls are encrypted between devices: answered here, it would stop ringing where it can be taken.
            <a class="button button-plain" href={href({ name: "dms" })}>
              {words.letIn}
            </a>
          )}
        </div>
      </div>
    </div>
  );
}
