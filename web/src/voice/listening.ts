import { useSpeaker } from "./speaker.ts";

/** Plays what is received, each track as loud as it is set. */
export interface Listening {
  /** `volume` of 1 is as it was sent; 0 is silence. Called again, it changes. */
  readonly play: (id: string, track: MediaStreamTrack, volume: number) => void;
  readonly stop: (id: string) => void;
  readonly setSpeaker: (id: string) => void;
  readonly close: () => void;
}

interface Voice {
  readonly track: MediaStreamTrack;
  readonly gain: GainNode;
  readonly end: () => void;
}

/** Volume changes take this long, so that nothing clicks. */
const RAMP_S = 0.03;

export function createListening(): Listening {
  const context = new AudioContext({ latencyHint: "interactive" });
  const voices = new Map<string, Voice>();

  function start(track: MediaStreamTrack, volume: number): Voice {
    const stream = new MediaStream([track]);
    // Chromium moves the sound of a connection only while an element plays it, be it silent (crbug.com/121673, still so in 2026).
    const pump = new Audio();
    pump.muted = true;
    pump.srcObject = stream;
    pump.play().catch(() => undefined);
    const source = context.createMediaStreamSource(stream);
    const gain = new GainNode(context, { gain: volume });
    source.connect(gain).connect(context.destination);
    return {
      track,
      gain,
      end() {
        source.disconnect();
        gain.disconnect();
        pump.srcObject = null;
      },
    };
  }

  function stop(id: string): void {
    voices.get(id)?.end();
    voices.delete(id);
  }

  return {
    play(id, track, volume) {
      if (context.state === "suspended") context.resume().catch(() => undefined);
      const known = voices.get(id);
      if (known?.track === track) {
        known.gain.gain.linearRampToValueAtTime(volume, context.currentTime + RAMP_S);
        return;
      }
      stop(id);
      voices.set(id, start(track, volume));
    },
    stop,
    setSpeaker: (id) => void useSpeaker(context, id),
    close() {
      for (const id of voices.keys()) stop(id);
      context.close().catch(() => undefined);
    },
  };
}
