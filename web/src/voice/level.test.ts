import { describe, expect, test } from "vitest";
import { Gate, levelDb, SILENT_DB } from "./level.ts";

const BLOCK_MS = 2.67;

/** Steps for a while at one level; answers whether anything passed at the end. */
function hears(gate: Gate, db: number, forMs: number): boolean {
  let passes = false;
  for (let ms = 0; ms < forMs; ms += BLOCK_MS) passes = gate.step(db, BLOCK_MS).to > 0;
  return passes;
}

describe("levels", () => {
  test("a full tone is loud and nothing is silent", () => {
    const tone = Float32Array.from({ length: 480 }, (_, index) => Math.sin(index / 5));
    expect(levelDb(tone)).toBeCloseTo(-3, 0);
    expect(levelDb(new Float32Array(128))).toBe(SILENT_DB);
    expect(levelDb(new Float32Array(0))).toBe(SILENT_DB);
  });
});

describe("the gate", () => {
  test("[VC1] opens at once for a voice, bridges its pauses, and closes behind it", () => {
    const gate = new Gate();
    gate.rule = { when: "voice", thresholdDb: -50 };
    expect(hears(gate, -70, 200)).toBe(false);
    expect(hears(gate, -40, 10)).toBe(true);
    expect(hears(gate, -54, 1_000)).toBe(true);
    expect(hears(gate, -70, 200)).toBe(true);
    expect(hears(gate, -70, 400)).toBe(false);
  });

  test("[VC1] held open it lets all pass, closed nothing", () => {
    const gate = new Gate();
    gate.rule = { when: "always", thresholdDb: 0 };
    expect(hears(gate, SILENT_DB, 20)).toBe(true);
    gate.rule = { when: "closed", thresholdDb: SILENT_DB };
    expect(hears(gate, 0, 20)).toBe(false);
  });

  test("[VC1] opens and closes by a ramp, so that nothing clicks", () => {
    const gate = new Gate();
    gate.rule = { when: "always", thresholdDb: 0 };
    const first = gate.step(-10, BLOCK_MS);
    expect(first.from).toBe(0);
    expect(first.to).toBeLessThan(1);
    expect(gate.step(-10, BLOCK_MS).from).toBe(first.to);
  });
});
