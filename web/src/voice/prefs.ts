import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { UserId } from "@lescopains/protocol/ids";
import * as v from "valibot";
import { perId } from "../sync/per-id.ts";

/** A device's id, or the empty text: the system's own choice. */
const DeviceChoice = v.optional(v.pipe(v.string(), v.maxLength(256)), "");

/** A key as the keyboard names its place, whatever is printed on it. */
const KeyCode = v.pipe(v.string(), v.minLength(1), v.maxLength(40));

const between = (min: number, max: number, usual: number) =>
  v.optional(v.fallback(v.pipe(v.number(), v.minValue(min), v.maxValue(max)), usual), usual);

/** Where a voice begins: the quietest and the loudest that one may ask for. */
export const THRESHOLDS_DB = { min: -75, max: -20 } as const;
/** Percent of how loud someone sends. */
export const VOLUMES = { min: 0, max: 200, usual: 100 } as const;

const Prefs = v.object({
  microphoneId: DeviceChoice,
  speakerId: DeviceChoice,
  cameraId: DeviceChoice,
  /** `strong`: RNNoise. `browser`: what the browser has. */
  noise: v.optional(v.fallback(v.picklist(["strong", "browser", "off"]), "strong"), "strong"),
  echoCancellation: v.optional(v.boolean(), true),
  autoGain: v.optional(v.boolean(), true),
  /** When one is heard: always, from a level on, or while a key is held. */
  activation: v.optional(v.fallback(v.picklist(["always", "voice", "push"]), "voice"), "voice"),
  thresholdDb: between(THRESHOLDS_DB.min, THRESHOLDS_DB.max, -50),
  pushKey: v.optional(v.fallback(KeyCode, "Backquote"), "Backquote"),
  /** Percent, of everybody together. */
  volume: between(VOLUMES.min, VOLUMES.max, VOLUMES.usual),
  cues: v.optional(v.boolean(), true),
  /** What a shared screen is for: text that must be sharp, or motion that must be smooth. */
  screenFor: v.optional(v.fallback(v.picklist(["detail", "motion"]), "detail"), "detail"),
  /** Muted when one leaves, muted when one comes back. */
  muted: v.optional(v.boolean(), false),
});
export type VoicePrefs = v.InferOutput<typeof Prefs>;

const Volumes = v.record(v.string(), v.pipe(v.number(), v.minValue(VOLUMES.min), v.maxValue(VOLUMES.max)));

const PREFS_KEY = "voice";
const VOLUMES_KEY = "voice-volumes";
/** People whose volume is remembered; of those beyond, the one set longest ago is forgotten. */
const VOLUMES_KEPT = 200;

/** Texts that outlive the tab. */
export interface PrefStore {
  readonly get: (key: string) => string | null;
  readonly set: (key: string, value: string | null) => void;
}

/** How this browser hears and speaks; every change is kept at once. */
export interface PrefBook {
  readonly prefs: ReadonlySignal<VoicePrefs>;
  readonly change: (changes: Partial<VoicePrefs>) => void;
  /** How loud a person is heard here, in percent. */
  readonly volumeOf: (userId: UserId) => ReadonlySignal<number>;
  readonly setVolume: (userId: UserId, percent: number) => void;
}

export function createPrefs(store: PrefStore): PrefBook {
  const prefs = signal(parsed(Prefs, store.get(PREFS_KEY)) ?? v.parse(Prefs, {}));
  const volumes = new Map(Object.entries(parsed(Volumes, store.get(VOLUMES_KEY)) ?? {}));
  const volumeOf = perId<UserId, Signal<number>>((id) => signal(volumes.get(id) ?? VOLUMES.usual));
  return {
    prefs,
    change(changes) {
      prefs.value = { ...prefs.peek(), ...changes };
      store.set(PREFS_KEY, JSON.stringify(prefs.peek()));
    },
    volumeOf,
    setVolume(userId, percent) {
      volumeOf(userId).value = percent;
      volumes.delete(userId);
      if (percent !== VOLUMES.usual) volumes.set(userId, percent);
      const kept = [...volumes].slice(-VOLUMES_KEPT);
      store.set(VOLUMES_KEY, kept.length === 0 ? null : JSON.stringify(Object.fromEntries(kept)));
    },
  };
}

/** What is not ours in storage is as if it was not there. */
function parsed<T extends v.GenericSchema>(schema: T, text: string | null): v.InferOutput<T> | undefined {
  if (text === null) return undefined;
  try {
    const read = v.safeParse(schema, JSON.parse(text));
    return read.success ? read.output : undefined;
  } catch {
    return undefined;
  }
}
