/** Levels of sound, in decibels below the loudest that can be represented. */

/** What counts as silence. */
export const SILENT_DB = -100;

/** How loud some samples are on average (root mean square). */
export function levelDb(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  return rms === 0 ? SILENT_DB : Math.max(SILENT_DB, 20 * Math.log10(rms));
}

/** When a microphone is heard. */
export interface GateRule {
  /** `always`: whatever is said. `voice`: from `thresholdDb` on. `closed`: nothing. */
  readonly when: "always" | "voice" | "closed";
  readonly thresholdDb: number;
}

/** Below the threshold by this much one is still heard: a voice that dips is not cut. */
const HYSTERESIS_DB = 6;
/** The end of a word is softer than its beginning. */
const HOLD_MS = 350;
/** From closed to open and back, so that nothing clicks. */
const RAMP_MS = 8;

/** Opens for a voice and closes behind it: state in, state out, one block of sound at a time. */
export class Gate {
  rule: GateRule = { when: "closed", thresholdDb: SILENT_DB };
  #gain = 0;
  #holdMs = 0;

  get isOpen(): boolean {
    return this.rule.when === "always" || (this.rule.when === "voice" && this.#holdMs > 0);
  }

  /** Takes in a block of `blockMs` as loud as `db`, and answers how much of it passes at its beginning and at its end: 0 to 1. */
  step(db: number, blockMs: number): { readonly from: number; readonly to: number } {
    const { when, thresholdDb } = this.rule;
    const heldDb = this.#holdMs > 0 ? thresholdDb - HYSTERESIS_DB : thresholdDb;
    this.#holdMs = when === "voice" && db >= heldDb ? HOLD_MS : Math.max(0, this.#holdMs - blockMs);
    const from = this.#gain;
    const by = blockMs / RAMP_MS;
    this.#gain = this.isOpen ? Math.min(1, from + by) : Math.max(0, from - by);
    return { from, to: this.#gain };
  }
}
