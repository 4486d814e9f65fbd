import {
  HeadphoneOff,
  Headphones,
  Mic,
  MicOff,
  MonitorOff,
  MonitorUp,
  PhoneOff,
  Video,
  VideoOff,
  type IconNode,
} from "lucide";
import { Icon } from "../../ui/icon.tsx";
import type { Voice } from "../../voice/voice.ts";
import "./controls.css";
import { voiceWords } from "./words.ts";

/** The keys of what one does in a call; `companion.tsx` listens to them. */
const VOICE_KEYS = { mute: "Ctrl ⇧ M", deafen: "Ctrl ⇧ D", leave: "Ctrl ⇧ H" } as const;

interface ControlsProps {
  readonly voice: Voice;
  /**
   * `dock`: small, at the foot of the channels. `stage`: under the pictures. `bar`: above everything else, where there is room for the microphone, the way
   * out, and what is out of the ordinary.
   */
  readonly place: "dock" | "stage" | "bar";
}

/** Microphone, ears, camera, screen, and the way out. */
export function Controls({ voice, place }: ControlsProps) {
  const words = voiceWords.value;
  const { own } = voice;
  // A microphone that could not be had is as good as muted; opening it tries once more.
  const muted = own.silent.value;
  const deafened = own.deafened.value;
  const camera = own.camera.value !== null;
  const screen = own.screen.value !== null;
  const canShare = "getDisplayMedia" in (navigator.mediaDevices ?? {});
  const all = place !== "bar";
  return (
    <div class={`controls controls-${place}`} role="toolbar" aria-label={words.controls}>
      <Control
        icon={muted ? MicOff : Mic}
        label={muted ? words.unmute : words.mute}
        keys={VOICE_KEYS.mute}
        off={muted}
        onClick={() => own.setMuted(!muted)}
      />
      {(all || deafened) && (
        <Control
          icon={deafened ? HeadphoneOff : Headphones}
          label={deafened ? words.undeafen : words.deafen}
          keys={VOICE_KEYS.deafen}
          off={deafened}
          onClick={() => own.setDeafened(!deafened)}
        />
      )}
      {(all || camera) && (
        <Control
          icon={camera ? Video : VideoOff}
          label={camera ? words.cameraOff : words.cameraOn}
          on={camera}
          onClick={() => void own.setCamera(!camera)}
        />
      )}
      {((all && canShare) || screen) && (
        <Control
          icon={screen ? MonitorOff : MonitorUp}
          label={screen ? words.stopScreen : words.shareScreen}
          on={screen}
          onClick={() => void own.setScreen(!screen)}
        />
      )}
      <Control icon={PhoneOff} label={words.leave} keys={VOICE_KEYS.leave} leave onClick={voice.leave} />
    </div>
  );
}

interface ControlProps {
  readonly icon: IconNode;
  readonly label: string;
  readonly keys?: string;
  /** Something is sent. */
  readonly on?: boolean;
  /** Something that usually works does not. */
  readonly off?: boolean;
  readonly leave?: boolean;
  readonly onClick: () => void;
}

function Control({ icon, label, keys, on = false, off = false, leave = false, onClick }: ControlProps) {
  return (
    <button
      type="button"
      class="control"
      data-look={leave ? "leave" : off ? "off" : on ? "on" : "plain"}
      aria-label={label}
      data-hint={keys === undefined ? label : `${label} (${keys})`}
      onClick={onClick}
    >
      <Icon node={icon} />
    </button>
  );
}
