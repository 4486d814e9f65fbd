import { debianCopy, findProgram, type Log } from "./find-program.ts";

/** Programs of Prometheus that tests run, by the variables that name them: what checks rules, and the exporters of the monitoring profile. */
const programs = {
  PROMTOOL_BIN: ["prometheus", "promtool"],
  AMTOOL_BIN: ["prometheus-alertmanager", "amtool"],
  NODE_EXPORTER_BIN: ["prometheus-node-exporter", "prometheus-node-exporter"],
  BLACKBOX_EXPORTER_BIN: ["prometheus-blackbox-exporter", "prometheus-blackbox-exporter"],
} as const;

/** The path of one of them, which is downloaded if need be. */
export async function findPrometheus(variable: keyof typeof programs, log: Log = () => undefined): Promise<string> {
  const [packageName, program] = programs[variable];
  const source = { name: program, neededBy: "The tests of the monitoring", variable, programs: [program] };
  return await findProgram({ ...source, copy: debianCopy(packageName, program) }, log);
}
