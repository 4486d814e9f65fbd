import { median } from "../measure/quantile.ts";
import type { Measurements, Row, SubjectName } from "./measurements.ts";
import type { TargetResult } from "./targets.ts";

function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return Math.abs(value) >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3);
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** Median, and beside it the range when there were several rounds; the sum of counts. */
function cell(values: readonly number[] | undefined, unit: Row["unit"]): string {
  if (values === undefined) return "–";
  if (unit === "count") return figure(values.reduce((sum, value) => sum + value, 0));
  if (values.length === 1 || Math.min(...values) === Math.max(...values)) return figure(median(values));
  return `${figure(median(values))} (${figure(Math.min(...values))}–${figure(Math.max(...values))})`;
}

function ratio({ values }: Row, subject: SubjectName, other: SubjectName): string {
  const ours = values[subject];
  const theirs = values[other];
  return ours === undefined || theirs === undefined || median(theirs) === 0
    ? "–"
    : `${(median(ours) / median(theirs)).toFixed(2)} ×`;
}

/** Subjects that are measured by the same things: the columns of a table. */
export interface Comparison {
  readonly ours: SubjectName;
  readonly peers: readonly SubjectName[];
  /** Ours as well, not compared. */
  readonly others?: readonly SubjectName[];
}

function comparisonTable(rows: readonly Row[], { ours, peers, others = [] }: Comparison): string[] {
  const subjects = [ours, ...peers, ...others];
  const head = ["", ...subjects, ...peers.map((name) => `${ours} ÷ ${name}`)];
  const lines = rows
    .filter(({ values }) => subjects.some((name) => values[name] !== undefined))
    .map((row) => {
      const unit = row.unit === "count" ? "" : `, ${row.unit}`;
      return line([
        `${row.metric}${unit}`,
        ...subjects.map((name) => cell(row.values[name], row.unit)),
        ...peers.map((name) => ratio(row, ours, name)),
      ]);
    });
  return lines.length === 0
    ? []
    : [line(head), line(head.map((_, index) => (index === 0 ? "---" : "--:"))), ...lines, ""];
}

/** The whole run as Markdown: medians (and ranges) by subject, ratios, and the targets. */
export function table(
  record: Measurements,
  comparisons: readonly Comparison[],
  targets: readonly TargetResult[],
): string {
  const rows = record.rows();
  const verdicts = targets.map(({ target, wanted, measured, reached }) => [
    target,
    wanted,
    figure(measured),
    reached ? "reached" : "**not reached**",
  ]);
  return [
    ...comparisons.flatMap((comparison) => comparisonTable(rows, comparison)),
    line(["target", "wanted", "measured", ""]),
    line(["---", "--:", "--:", "---"]),
    ...verdicts.map(line),
  ].join("\n");
}
