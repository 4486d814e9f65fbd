import { type ReadonlySignal, useSignal } from "@preact/signals";
import { Mic, MicOff } from "lucide";
import { useEffect } from "preact/hooks";
import { voicePrefs } from "../../../app/voice-prefs.ts";
import { Button } from "../../../ui/button.tsx";
import { Switch } from "../../../ui/field.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { openMicrophone } from "../../../voice/microphone.ts";
import { mediaErrorText } from "../media-text.ts";
import { LevelBar } from "./level-bar.tsx";
import { useTrial } from "./trial.ts";
import { voiceSettingsWords } from "./words.ts";

/** What another microphone, filter or device makes anew. */
function soundOf({ microphoneId, noise, echoCancellation, autoGain }: typeof voicePrefs.prefs.value): string {
  return [microphoneId, noise, echoCancellation, autoGain].join();
}

/** The microphone as it is set, without sending anything: how loud one is, and whether one would be heard. */
export function MicrophoneTrial() {
  const words = voiceSettingsWords.value;
  const prefs = voicePrefs.prefs.value;
  const hearing = useSignal(false);
  const { on, lent, busy, error } = useTrial({
    wish: "microphone",
    open: (lost) => openMicrophone(voicePrefs.prefs.peek(), lost),
    close: (one) => one.close(),
    how: soundOf(prefs),
  });

  const opened = lent.value;
  const when = prefs.activation === "voice" ? "voice" : "always";
  useEffect(() => opened?.setRule({ when, thresholdDb: prefs.thresholdDb }), [opened, when, prefs.thresholdDb]);
  useEffect(() => {
    if (opened === null || !hearing.value) return undefined;
    const audio = new Audio();
    audio.srcObject = new MediaStream([opened.track]);
    audio.play().catch(() => undefined);
    return () => audio.pause();
  }, [opened, hearing.value]);

  const refusal = error.value;
  const text = refusal === null ? undefined : mediaErrorText(refusal);
  return (
    <div class="trial">
      {text !== undefined && <Notice kind="danger">{text}</Notice>}
      {opened !== null && (
        <>
          <LevelBar
            label={words.level}
            levelDb={opened.levelDb}
            {...(when === "voice" ? { thresholdDb: prefs.thresholdDb } : {})}
          />
          <Heard open={opened.open} />
          {opened.noise !== prefs.noise && <Notice>{words.noiseFellBack}</Notice>}
          <Switch
            label={words.hear}
            hint={words.hearHint}
            checked={hearing.value}
            onChecked={(checked) => (hearing.value = checked)}
          />
        </>
      )}
      <Button
        icon={opened === null ? Mic : MicOff}
        busy={busy.value}
        onClick={() => {
          on.value = opened === null;
          hearing.value = false;
        }}
      >
        {opened === null ? words.try : words.tryEnd}
      </Button>
    </div>
  );
}

/** Whether one would be heard, in words; colour alone does not say it. */
function Heard({ open }: { readonly open: ReadonlySignal<boolean> }) {
  const words = voiceSettingsWords.value;
  return (
    <p class="trial-heard" data-open={open.value}>
      {open.value ? words.heard : words.notHeard}
    </p>
  );
}
