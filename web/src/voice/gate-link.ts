import type { GateRule } from "./level.ts";

/** What page and audio thread say to each other. */
export const GATE_NAME = "lescopains-gate";

export type ToGate = GateRule | "end";

export interface GateReport {
  /** The loudest since the last report. */
  readonly db: number;
  /** What is said is heard. */
  readonly open: boolean;
}
