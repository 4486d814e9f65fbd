import { type ReadonlySignal, useSignal } from "@preact/signals";
import { Mic, MicOff } from "lucide";
import { useEffect } from "preact/hooks";
import { useTaskWith } from "../../../app/task.ts";
import { voicePrefs } from "../../../app/voice-prefs.ts";
import { Button } from "../../../ui/button.tsx";
import { Switch } from "../../../ui/field.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { asMediaError } from "../../../voice/media-refusal.ts";
import { type Microphone, openMicrophone } from "../../../voice/microphone.ts";
import { mediaErrorText } from "../media-text.ts";
import { LevelBar } from "./level-bar.tsx";
import { voiceSettingsWords } from "./words.ts";

/** What another microphone, filter or device makes anew. */
function soundOf({ microphoneId, noise, echoCancellation, autoGain }: typeof voicePrefs.prefs.value): string {
  return [microphoneId, noise, echoCancellation, autoGain].join();
}

/** The microphone as it is set, without sending anything: how loud one is, and whether one would be heard. */
export function MicrophoneTrial() {
  const words = voiceSettingsWords.value;
  const prefs = voicePrefs.prefs.value;
  const trying = useSignal(false);
  const hearing = useSignal(false);
  const microphone = useSignal<Microphone | null>(null);
  const task = useTaskWith((thrown) => asMediaError("microphone", thrown));
  const sound = soundOf(prefs);

  useEffect(() => {
    if (!trying.value) return undefined;
    let ended = false;
    void task.run(async () => {
      const opened = await openMicrophone(voicePrefs.prefs.peek(), () => (trying.value = false));
      if (ended) opened.close();
      else microphone.value = opened;
    });
    return () => {
      ended = true;
      microphone.peek()?.close();
      microphone.value = null;
    };
  }, [trying.value, sound]);

  const opened = microphone.value;
  const when = prefs.activation === "voice" ? "voice" : "always";
  useEffect(() => opened?.setRule({ when, thresholdDb: prefs.thresholdDb }), [opened, when, prefs.thresholdDb]);
  useEffect(() => {
    if (opened === null || !hearing.value) return undefined;
    const audio = new Audio();
    audio.srcObject = new MediaStream([opened.track]);
    audio.play().catch(() => undefined);
    return () => audio.pause();
  }, [opened, hearing.value]);

  const refusal = task.error.value;
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
            onChecked={(on) => (hearing.value = on)}
          />
        </>
      )}
      <Button
        icon={trying.value ? MicOff : Mic}
        busy={task.busy.value}
        onClick={() => {
          trying.value = opened === null;
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
