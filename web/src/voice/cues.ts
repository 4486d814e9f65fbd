import { useSpeaker } from "./speaker.ts";

/** Short sounds that say what happened, made here: two or three soft tones each. */
export type Cue =
  | "join"
  | "leave"
  | "someoneJoins"
  | "someoneLeaves"
  | "mute"
  | "unmute"
  | "deafen"
  | "undeafen"
  | "lost"
  | "moved";

interface Tone {
  readonly hz: number;
  readonly atMs: number;
  readonly lastsMs: number;
}

const note = (hz: number, atMs: number, lastsMs = 110): Tone => ({ hz, atMs, lastsMs });

/** Up: something opens. Down: something closes. */
const CUES: Readonly<Record<Cue, readonly Tone[]>> = {
  join: [note(392, 0), note(523, 90), note(659, 180, 180)],
  leave: [note(659, 0), note(523, 90), note(392, 180, 180)],
  someoneJoins: [note(523, 0), note(659, 90, 150)],
  someoneLeaves: [note(523, 0), note(415, 90, 150)],
  mute: [note(440, 0, 70), note(330, 60, 90)],
  unmute: [note(330, 0, 70), note(440, 60, 90)],
  deafen: [note(392, 0, 70), note(294, 60, 70), note(220, 120, 110)],
  undeafen: [note(220, 0, 70), note(294, 60, 70), note(392, 120, 110)],
  lost: [note(330, 0, 160), note(247, 170, 240)],
  moved: [note(440, 0), note(554, 90), note(440, 180, 160)],
};
const RING: readonly Tone[] = [note(523, 0, 220), note(659, 200, 220), note(523, 400, 260)];
const RING_EVERY_MS = 2_400;
const LOUDNESS = 0.12;

let context: AudioContext | undefined;

/** Plays tones; a page that nobody has touched yet stays silent, as browsers want it. */
async function play(tones: readonly Tone[], speakerId: string): Promise<void> {
  context ??= new AudioContext();
  await useSpeaker(context, speakerId);
  const { currentTime, destination } = context;
  if (context.state === "suspended") context.resume().catch(() => undefined);
  for (const { hz, atMs, lastsMs } of tones) {
    const start = currentTime + atMs / 1_000;
    const end = start + lastsMs / 1_000;
    const tone = new OscillatorNode(context, { type: "sine", frequency: hz });
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.linearRampToValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(LOUDNESS, start + 0.015);
    gain.gain.exponentialRampToValueAtTime(0.001, end);
    tone.connect(gain).connect(destination);
    tone.start(start);
    tone.stop(end);
  }
}

/** `speakerId`: the loudspeaker, empty for the system's. */
export function playCue(cue: Cue, speakerId: string): void {
  void play(CUES[cue], speakerId);
}

/** Rings until the answer is called. */
export function ring(speakerId: string): () => void {
  void play(RING, speakerId);
  const timer = setInterval(() => void play(RING, speakerId), RING_EVERY_MS);
  return () => clearInterval(timer);
}
