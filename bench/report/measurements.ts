import type { Sfu } from "../forwarding/sfu.ts";
import { median } from "../measure/quantile.ts";
import type { Subject } from "../subjects/subject.ts";

/** Servers, implementations of the Signal Protocol, the encryption of calls, and what forwards them. */
export type SubjectName =
  | Subject["name"]
  | "engine"
  | "engine in Chromium"
  | "libsignal"
  | "node:crypto"
  | "frames in Chromium"
  | "frames handed back"
  | Sfu["name"]
  | "behind Caddy"
  | "directly"
  | "call"
  | "direct"
  | "edge, requests counted"
  | "edge, not counted"
  | "client";

/** What is measured: a line of the table. */
export interface Row {
  readonly metric: string;
  /** Counts are summed up, of everything else the median is shown. */
  readonly unit: "ms" | "µs" | "kB" | "/s" | "MB/s" | "%" | "count";
  /** One number for each round. */
  readonly values: Partial<Record<SubjectName, number[]>>;
}

/** All measurements of a run, in the order in which they first came up, counts last. */
export class Measurements {
  readonly #rows = new Map<string, Row>();

  add(subject: SubjectName, metric: string, unit: Row["unit"], value: number): void {
    let row = this.#rows.get(metric);
    if (row === undefined) {
      row = { metric, unit, values: {} };
      this.#rows.set(metric, row);
    }
    (row.values[subject] ??= []).push(value);
  }

  rows(): Row[] {
    const rows = [...this.#rows.values()];
    return [...rows.filter(({ unit }) => unit !== "count"), ...rows.filter(({ unit }) => unit === "count")];
  }

  /** Median over the rounds; undefined when it was not measured. */
  median(subject: SubjectName, metric: string): number | undefined {
    const values = this.#rows.get(metric)?.values[subject];
    return values === undefined ? undefined : median(values);
  }

  /** Whether it was measured. */
  has(metric: string): boolean {
    return this.#rows.has(metric);
  }

  /** Sum over the rounds of every subject; 0 when it was not measured. */
  total(metric: string): number {
    return Object.values(this.#rows.get(metric)?.values ?? {})
      .flat()
      .reduce((sum, value) => sum + value, 0);
  }

  /** How much larger than the other subject's median ours is. */
  difference(metric: string, subject: SubjectName, other: SubjectName): number | undefined {
    const ours = this.median(subject, metric);
    const theirs = this.median(other, metric);
    return ours === undefined || theirs === undefined ? undefined : ours - theirs;
  }

  /** How many times the other subject's median ours is. */
  ratio(metric: string, subject: SubjectName, other: SubjectName): number | undefined {
    const ours = this.median(subject, metric);
    const theirs = this.median(other, metric);
    return ours === undefined || theirs === undefined ? undefined : ours / theirs;
  }
}
