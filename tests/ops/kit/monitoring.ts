import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { parse } from "yaml";
import { rootFolder } from "../../../tools/stack/root.ts";

export const monitoringFolder: string = join(rootFolder, "ops", "monitoring");

const Rules = v.object({
  groups: v.array(v.object({ rules: v.array(v.object({ alert: v.string(), expr: v.string() })) })),
});
const Cases = v.object({
  tests: v.array(
    v.object({ alert_rule_test: v.array(v.object({ alertname: v.string(), exp_alerts: v.array(v.unknown()) })) }),
  ),
});
const Dashboard = v.object({
  panels: v.array(v.object({ title: v.string(), targets: v.array(v.object({ expr: v.string() })) })),
});

function yaml<T>(schema: v.GenericSchema<unknown, T>, file: string): T {
  return v.parse(schema, parse(readFileSync(join(monitoringFolder, file), "utf8"), { merge: true }));
}

/** The alerts and what they look at. */
export function alerts(): readonly { readonly alert: string; readonly expr: string }[] {
  return yaml(Rules, "alerts.yml").groups.flatMap(({ rules }) => rules);
}

/** Which alerts have a case, and whether it fires in it. */
export function alertCases(): readonly { readonly alertname: string; readonly fires: boolean }[] {
  return yaml(Cases, "alerts.test.yml").tests.flatMap(({ alert_rule_test: cases }) =>
    cases.map(({ alertname, exp_alerts }) => ({ alertname, fires: exp_alerts.length > 0 })),
  );
}

/** What the dashboards ask, with the place they ask it in. */
export function dashboardQueries(): readonly { readonly where: string; readonly expr: string }[] {
  const folder = join(monitoringFolder, "grafana", "dashboards");
  return readdirSync(folder).flatMap((file) =>
    v
      .parse(Dashboard, JSON.parse(readFileSync(join(folder, file), "utf8")))
      .panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: `${file}: ${title}`, expr }))),
  );
}

const WORDS = new Set(["and", "or", "unless", "bool", "offset"]);

/** The metrics that a PromQL expression names: identifiers that are no functions, labels or words of the language. */
export function metricsIn(expr: string): string[] {
  const bare = expr
    .replaceAll(/"[^"]*"|'[^']*'/g, "")
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, " ")
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, " ");
  const named = [...bare.matchAll(/[a-zA-Z_:][\w:]*(?!\w|\s*\()/g)].map(([name]) => name);
  return named.filter((name) => !WORDS.has(name));
}

/** The names that a page in Prometheus' text format may have samples of. */
export function namesIn(page: string): string[] {
  return [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = "", type]) =>
    type === "histogram" ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
}

/** The labels of every sample of a metric. */
export function labelsOf(page: string, metric: string): Record<string, string>[] {
  const samples = page.split("\n").filter((line) => line.startsWith(`${metric}{`));
  return samples.map((line) =>
    Object.fromEntries(
      [...line.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = "", value]) => [name, value ?? ""]),
    ),
  );
}
