import { type ReadonlySignal, signal } from "@preact/signals";
import { askMicrophone, stopStream } from "./devices.ts";
import { GATE_NAME, type GateReport, type ToGate } from "./gate-link.ts";
// oxlint-disable-next-line import/default -- Vite bundles it, and gives its address
import gateUrl from "./gate-worklet.ts?worker&url";
import { type GateRule, SILENT_DB } from "./level.ts";
import { MediaError } from "./media-refusal.ts";
import { createNoiseFilter, type NoiseFilter } from "./noise.ts";
import type { VoicePrefs } from "./prefs.ts";

/**
 * ```
 * microphone ─▶ RNNoise ─▶ gate (level, voice, push-to-talk) ─▶ `track`
 * ```
 */
export interface Microphone {
  /** What is sent. It stays the same for the microphone's life. */
  readonly track: MediaStreamTrack;
  /** How loud it is now, whether or not it is heard. */
  readonly levelDb: ReadonlySignal<number>;
  /** What is said is heard. */
  readonly open: ReadonlySignal<boolean>;
  /** `strong` may not be had: then the browser's own filter works. */
  readonly noise: VoicePrefs["noise"];
  /** The gate is in the track. Without, whoever sends it pauses it while it is not open. */
  readonly gates: boolean;
  readonly setRule: (rule: GateRule) => void;
  readonly close: () => void;
}

/** RNNoise knows this rate only, and it is Opus's own. */
const SAMPLE_RATE = 48_000;

/**
 * @param onLost the device was unplugged, or the system took it away
 * @throws MediaError
 */
export async function openMicrophone(prefs: VoicePrefs, onLost: () => void): Promise<Microphone> {
  const lent = { stream: await askMicrophone(prefs) };
  let context: AudioContext | undefined;
  try {
    context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: "interactive" });
    if (await runs(context)) return await gatedMicrophone(prefs, lent, context, onLost);
  } catch (thrown) {
    letGo(lent.stream, context);
    throw thrown;
  }
  letGo(lent.stream, context);
  return plainMicrophone(await askMicrophone({ ...prefs, noise: "browser" }), onLost);
}

function letGo(stream: MediaStream, context: AudioContext | undefined): void {
  stopStream(stream);
  context?.close().catch(() => undefined);
}

/** @param lent what the browser gives, which is asked for anew where its own filter has to do */
async function gatedMicrophone(
  prefs: VoicePrefs,
  lent: { stream: MediaStream },
  context: AudioContext,
  onLost: () => void,
): Promise<Microphone> {
  let filter: NoiseFilter | undefined;
  let { noise } = prefs;
  await context.audioWorklet.addModule(gateUrl);
  if (noise === "strong") filter = await createNoiseFilter(context);
  if (noise === "strong" && filter === undefined) {
    noise = "browser";
    stopStream(lent.stream);
    lent.stream = await askMicrophone({ ...prefs, noise });
  }
  const { stream } = lent;
  const source = context.createMediaStreamSource(stream);
  const gate = new AudioWorkletNode(context, GATE_NAME, { channelCount: 1, channelCountMode: "explicit" });
  const end = context.createMediaStreamDestination();
  end.channelCount = 1;
  if (filter === undefined) source.connect(gate);
  else source.connect(filter.node).connect(gate);
  gate.connect(end);
  const level = signal(SILENT_DB);
  const open = signal(false);
  gate.port.addEventListener("message", ({ data }: MessageEvent<GateReport>) => {
    level.value = data.db;
    open.value = data.open;
  });
  gate.port.start();
  const tell = (message: ToGate): void => gate.port.postMessage(message, {});
  const [track] = end.stream.getAudioTracks();
  if (track === undefined) throw new Error("a destination without a track");
  track.contentHint = "speech";
  const [input] = stream.getAudioTracks();
  watch(input, onLost);

  return {
    track,
    levelDb: level,
    open,
    noise,
    gates: true,
    setRule: tell,
    close() {
      input?.removeEventListener("ended", onLost);
      track.stop();
      tell("end");
      gate.port.close();
      filter?.close();
      letGo(stream, context);
    },
  };
}

/** It may have gone while the rest was being set up, when nobody listened. */
function watch(input: MediaStreamTrack | undefined, onLost: () => void): void {
  input?.addEventListener("ended", onLost);
  if (input?.readyState === "ended") onLost();
}

/** A machine without a loudspeaker may never start its audio thread (Firefox ESR 153, November 2026), and says nothing of it. */
const START_MS = 2_000;

async function runs(context: AudioContext): Promise<boolean> {
  const late = new Promise<void>((resolve) => setTimeout(resolve, START_MS));
  await Promise.race([context.resume().catch(() => undefined), late]);
  return context.state === "running";
}

/** Without an audio thread: what the browser gives is sent as it is, and only push-to-talk closes it. */
function plainMicrophone(stream: MediaStream, onLost: () => void): Microphone {
  const [track] = stream.getAudioTracks();
  if (track === undefined) throw new MediaError("microphone", "failed");
  const open = signal(true);
  track.contentHint = "speech";
  watch(track, onLost);
  return {
    track,
    levelDb: signal(SILENT_DB),
    open,
    noise: "browser",
    gates: false,
    setRule: ({ when }) => (open.value = when !== "closed"),
    close() {
      track.removeEventListener("ended", onLost);
      stopStream(stream);
    },
  };
}
