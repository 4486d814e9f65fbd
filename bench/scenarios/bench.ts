import type { Fleet } from "../load/fleet.ts";
import type { Measurements } from "../report/measurements.ts";
import type { Subject } from "../subjects/subject.ts";

/** What every scenario is given. */
export interface Tools {
  readonly record: Measurements;
  readonly rounds: number;
  /** Progress, a line at a time. */
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** And what those are given that measure servers. */
export interface Bench extends Tools {
  readonly subjects: readonly Subject[];
  /** Other ways to write the peer, measured where the difference shows. */
  readonly variants: readonly Subject[];
  readonly fleet: Fleet;
  /** Whose children do the subjects' SQL. */
  readonly postmasterPid: number;
}

export type Scenario = (bench: Bench) => Promise<void>;

/** Connections of the largest rooms. */
export const crowd = 1_000;
/** Messages a second that a busy community writes, all its channels together. */
export const talkPerSecond = 10;
