import { type ReadonlySignal, signal } from "@preact/signals";
import { asMediaError, MediaError } from "./media-refusal.ts";
import type { VoicePrefs } from "./prefs.ts";

/** A microphone, a loudspeaker or a camera. */
export interface MediaDevice {
  readonly id: string;
  /** Empty until a permission was given: browsers keep the names back. */
  readonly name: string;
}

export interface DeviceLists {
  readonly microphones: readonly MediaDevice[];
  readonly speakers: readonly MediaDevice[];
  readonly cameras: readonly MediaDevice[];
}

const NONE: DeviceLists = { microphones: [], speakers: [], cameras: [] };
const lists = signal<DeviceLists>(NONE);
let following = false;

/** `navigator.mediaDevices`, which a page without TLS does not have. */
function mediaDevices(): MediaDevices | undefined {
  return navigator.mediaDevices;
}

/** What is plugged in. Asked anew after a permission, since names come with it. */
async function refreshDevices(): Promise<void> {
  const all = (await mediaDevices()?.enumerateDevices()) ?? [];
  const of = (kind: MediaDeviceInfo["kind"]): MediaDevice[] =>
    all
      // "default" and "communications" are the system's choice once more.
      .filter((device) => device.kind === kind && !["", "default", "communications"].includes(device.deviceId))
      .map(({ deviceId, label }) => ({ id: deviceId, name: label }));
  lists.value = { microphones: of("audioinput"), speakers: of("audiooutput"), cameras: of("videoinput") };
}

/** The devices of this machine, kept current. */
export function devices(): ReadonlySignal<DeviceLists> {
  if (!following) {
    following = true;
    mediaDevices()?.addEventListener("devicechange", () => void refreshDevices());
    refreshDevices().catch(() => undefined);
  }
  return lists;
}

/** @throws MediaError */
export async function askMicrophone(prefs: VoicePrefs): Promise<MediaStream> {
  return await ask("microphone", prefs.microphoneId, {
    channelCount: 1,
    echoCancellation: prefs.echoCancellation,
    autoGainControl: prefs.autoGain,
    // RNNoise does better on what the browser has not filtered before.
    noiseSuppression: prefs.noise === "browser",
  });
}

/** @throws MediaError */
export async function askCamera(prefs: VoicePrefs): Promise<MediaStream> {
  return await ask("camera", prefs.cameraId, {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    frameRate: { ideal: 30 },
  });
}

/**
 * A screen, a window or a tab, with its sound where the browser has it. The sound is what is played, not what is said: nothing is filtered.
 *
 * @throws MediaError
 */
export async function askScreen({ screenFor }: VoicePrefs): Promise<MediaStream> {
  const devicesOfPage = mediaDevices();
  if (devicesOfPage?.getDisplayMedia === undefined) throw new MediaError("screen", "missing");
  try {
    const stream = await devicesOfPage.getDisplayMedia({
      video: { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 30 } },
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
    for (const track of stream.getVideoTracks()) track.contentHint = screenFor;
    for (const track of stream.getAudioTracks()) track.contentHint = "music";
    return stream;
  } catch (thrown) {
    throw asMediaError("screen", thrown);
  }
}

/** The chosen device if it is there; one that was unplugged gives way to the system's choice. */
async function ask(
  wish: "microphone" | "camera",
  deviceId: string,
  constraints: MediaTrackConstraints,
): Promise<MediaStream> {
  const devicesOfPage = mediaDevices();
  if (devicesOfPage === undefined) throw new MediaError(wish, "insecure");
  const kind = wish === "microphone" ? "audio" : "video";
  try {
    // `exact`: what is merely preferred Chromium may pass over.
    const stream = await devicesOfPage.getUserMedia({
      [kind]: deviceId === "" ? constraints : { ...constraints, deviceId: { exact: deviceId } },
    });
    refreshDevices().catch(() => undefined);
    return stream;
  } catch (thrown) {
    const error = asMediaError(wish, thrown);
    if (error.refusal === "missing" && deviceId !== "") return await ask(wish, "", constraints);
    throw error;
  }
}

/** Ends every track: the light of the camera goes out. */
export function stopStream(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
