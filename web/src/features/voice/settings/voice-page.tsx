import { useSignal } from "@preact/signals";
import { Volume2 } from "lucide";
import { useLayoutEffect } from "preact/hooks";
import { numberFormat } from "../../../app/i18n.ts";
import { voicePrefs } from "../../../app/voice-prefs.ts";
import { Button } from "../../../ui/button.tsx";
import { Choices, SelectField, Switch } from "../../../ui/field.tsx";
import { Slider } from "../../../ui/slider.tsx";
import { playCue } from "../../../voice/cues.ts";
import { devices, type MediaDevice } from "../../../voice/devices.ts";
import { THRESHOLDS_DB, VOLUMES } from "../../../voice/prefs.ts";
import { keyName } from "../key-name.ts";
import { CameraPreview } from "./camera-preview.tsx";
import { MicrophoneTrial } from "./microphone-trial.tsx";
import "./voice-page.css";
import { voiceSettingsWords } from "./words.ts";

const percent = numberFormat({ style: "percent" });
const ACTIVATION_WORD = { voice: "activationVoice", push: "activationPush", always: "activationAlways" } as const;
const NOISE_WORD = { strong: "noiseStrong", browser: "noiseBrowser", off: "noiseOff" } as const;
const SCREEN_WORD = { detail: "screenDetail", motion: "screenMotion" } as const;

/** The entries of a word table, as choices. */
function choices<Value extends string>(table: Readonly<Record<Value, keyof typeof voiceSettingsWords.value>>) {
  const words = voiceSettingsWords.value;
  return (Object.keys(table) as Value[]).map((value) => ({ value, label: words[table[value]] as string }));
}

/** How one hears, speaks and is seen, in this browser. */
export function VoicePage() {
  const words = voiceSettingsWords.value;
  const prefs = voicePrefs.prefs.value;
  const { change } = voicePrefs;
  const { microphones, speakers, cameras } = devices().value;
  return (
    <>
      <section class="section">
        <h2>{words.microphone}</h2>
        <DeviceField
          label={words.microphone}
          list={microphones}
          value={prefs.microphoneId}
          onValue={(microphoneId) => change({ microphoneId })}
        />
        <MicrophoneTrial />
        <Choices
          legend={words.activation}
          value={prefs.activation}
          options={choices(ACTIVATION_WORD)}
          onValue={(activation) => change({ activation })}
        />
        {prefs.activation === "voice" && (
          <Slider
            label={words.threshold}
            hint={words.thresholdHint}
            {...THRESHOLDS_DB}
            value={prefs.thresholdDb}
            text={words.decibels({ level: prefs.thresholdDb })}
            onValue={(thresholdDb) => change({ thresholdDb })}
          />
        )}
        {prefs.activation === "push" && <KeyPicker code={prefs.pushKey} onCode={(pushKey) => change({ pushKey })} />}
        <Choices
          legend={words.noise}
          value={prefs.noise}
          options={choices(NOISE_WORD)}
          onValue={(noise) => change({ noise })}
        />
        <Switch
          label={words.echo}
          checked={prefs.echoCancellation}
          onChecked={(echoCancellation) => change({ echoCancellation })}
        />
        <Switch label={words.autoGain} checked={prefs.autoGain} onChecked={(autoGain) => change({ autoGain })} />
      </section>
      <section class="section">
        <h2>{words.output}</h2>
        {"setSinkId" in AudioContext.prototype && (
          <DeviceField
            label={words.speaker}
            list={speakers}
            value={prefs.speakerId}
            onValue={(speakerId) => change({ speakerId })}
          />
        )}
        <Slider
          label={words.volume}
          min={VOLUMES.min}
          max={VOLUMES.max}
          step={5}
          value={prefs.volume}
          text={percent.value.format(prefs.volume / 100)}
          onValue={(volume) => change({ volume })}
        />
        <div class="actions actions-start">
          <Button icon={Volume2} onClick={() => playCue("join", prefs.speakerId)}>
            {words.testSound}
          </Button>
        </div>
        <Switch label={words.cues} hint={words.cuesHint} checked={prefs.cues} onChecked={(cues) => change({ cues })} />
      </section>
      <section class="section">
        <h2>{words.camera}</h2>
        <DeviceField
          label={words.camera}
          list={cameras}
          value={prefs.cameraId}
          onValue={(cameraId) => change({ cameraId })}
        />
        <CameraPreview />
        <Choices
          legend={words.screen}
          value={prefs.screenFor}
          options={choices(SCREEN_WORD)}
          onValue={(screenFor) => change({ screenFor })}
        />
      </section>
    </>
  );
}

interface DeviceFieldProps {
  readonly label: string;
  readonly list: readonly MediaDevice[];
  readonly value: string;
  readonly onValue: (id: string) => void;
}

/** Which of several devices; one that is unplugged now is the system's choice until it is back. */
function DeviceField({ label, list, value, onValue }: DeviceFieldProps) {
  const words = voiceSettingsWords.value;
  return (
    <SelectField
      label={label}
      value={list.some(({ id }) => id === value) ? value : ""}
      options={[
        { value: "", label: words.systemDevice },
        ...list.map(({ id, name }, index) => ({
          value: id,
          label: name === "" ? words.unnamed({ number: index + 1 }) : name,
        })),
      ]}
      onValue={onValue}
    />
  );
}

/** Chooses the key by pressing it; Escape leaves it as it was. */
function KeyPicker({ code, onCode }: { readonly code: string; readonly onCode: (code: string) => void }) {
  const words = voiceSettingsWords.value;
  const waiting = useSignal(false);
  // It listens when it says so, not a frame later.
  useLayoutEffect(() => {
    if (!waiting.value) return undefined;
    const ending = new AbortController();
    addEventListener(
      "keydown",
      (event) => {
        event.preventDefault();
        event.stopPropagation();
        waiting.value = false;
        if (event.code !== "Escape" && event.code !== "") onCode(event.code);
      },
      { signal: ending.signal, capture: true },
    );
    return () => ending.abort();
  }, [waiting.value]);
  return (
    <div class="field">
      <p class="field-label">{words.pushKey}</p>
      <div class="push-key">
        <kbd>{keyName(code)}</kbd>
        <Button aria-pressed={waiting.value} onClick={() => (waiting.value = !waiting.value)}>
          {waiting.value ? words.pushKeyWaiting : words.pushKeyChange}
        </Button>
      </div>
      <p class="field-hint">{words.pushKeyHint}</p>
    </div>
  );
}
