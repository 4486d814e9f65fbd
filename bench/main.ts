/**
 * `npm run bench [-- messages|signin|coldstart|steady …]`: this product's edge beside a plain Node + socket.io + pg server, on the
 * same PostgreSQL, in turns. Prints a table and writes `bench/results/<date>-<commit>.json`. What it measures and why:
 * docs/benchmarks.md. Exit code 1 when a message was lost or doubled; a missed target is only said.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../tools/command.ts";
import { OperatorError } from "../tools/operator-error.ts";
import { rootFolder } from "../tools/stack/root.ts";
import { Fleet } from "./load/fleet.ts";
import { postmasterPid } from "./measure/process-usage.ts";
import { Measurements } from "./report/measurements.ts";
import { machineFacts, writeResults } from "./report/results.ts";
import { table } from "./report/table.ts";
import { checkTargets } from "./report/targets.ts";
import type { Scenario } from "./scenarios/bench.ts";
import { coldstart } from "./scenarios/coldstart.ts";
import { messages } from "./scenarios/messages.ts";
import * as metrics from "./scenarios/metrics.ts";
import { signin } from "./scenarios/signin.ts";
import { steady } from "./scenarios/steady.ts";
import { edgeSubject, startEdge } from "./subjects/edge.ts";
import { peerSubject } from "./subjects/peer.ts";
import type { Subject } from "./subjects/subject.ts";
import { planWorld } from "./world.ts";

const scenarios: Readonly<{ [name: string]: Scenario }> = { messages, signin, coldstart, steady };
const rounds = 3;

function chosenScenarios(names: readonly string[]): Scenario[] {
  if (names.length === 0) return Object.values(scenarios);
  return names.map((name) => {
    const scenario = scenarios[name];
    if (scenario !== undefined) return scenario;
    throw new OperatorError(`There is no benchmark "${name}": use any of ${Object.keys(scenarios).join(", ")}`);
  });
}

await runCommand(async (signal) => {
  const chosen = chosenScenarios(process.argv.slice(2));
  if (process.platform !== "linux") throw new OperatorError("The benchmark reads CPU times from /proc: it needs Linux");
  const startedMs = performance.now();
  const log = (line: string): void => {
    console.error(`${((performance.now() - startedMs) / 1_000).toFixed(0).padStart(4)} s  ${line}`);
  };
  const dataDir = mkdtempSync(join(tmpdir(), "lescopains-bench-"));
  const record = new Measurements();
  const fleet = new Fleet();
  const subjects: Subject[] = [];
  try {
    const { stack, jwtSecret } = await startEdge({ dataDir, log, signal });
    const plan = await planWorld();
    subjects.push(await edgeSubject(stack, jwtSecret, plan));
    const cacheFolder = join(rootFolder, ".cache", "bench-peer");
    for (const order of ["emit-first", "ack-first"] as const) {
      subjects.push(await peerSubject({ databaseUrl: stack.databaseUrl, jwtSecret, plan, order, cacheFolder }));
    }
    const bench = {
      subjects,
      fleet,
      record,
      postmasterPid: await postmasterPid(stack.databaseUrl),
      rounds,
      log,
      signal,
    };
    for (const scenario of chosen) await scenario(bench);
  } finally {
    fleet.stop();
    // The edge is the first and holds the database.
    for (const subject of subjects.toReversed()) await subject.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
  const targets = checkTargets(record);
  const machine = machineFacts();
  console.log(
    `${machine.cores} × ${machine.cpu}, Node ${machine.node}, ${machine.workerd}, commit ${machine.commit}\n`,
  );
  console.log(
    table(
      record,
      subjects.map(({ name }) => name),
      targets,
    ),
  );
  log(`written to ${writeResults(record, targets, machine, new Date())}`);
  return record.total(metrics.lost) + record.total(metrics.doubled) > 0 ? 1 : 0;
});
