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
import { describeMachine, machineFacts } from "./report/machine.ts";
import { writeResults } from "./report/results.ts";
import { table } from "./report/table.ts";
import { checkTargets } from "./report/targets.ts";
import type { Bench, Scenario } from "./scenarios/bench.ts";
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

interface Measured {
  readonly record: Measurements;
  readonly subjects: readonly Subject[];
}

/** Starts everything, measures, stops everything. */
async function measure(chosen: readonly Scenario[], log: Bench["log"], signal: AbortSignal): Promise<Measured> {
  const dataDir = mkdtempSync(join(tmpdir(), "lescopains-bench-"));
  const fleet = new Fleet();
  const abort = (): void => fleet.stop();
  signal.addEventListener("abort", abort, { once: true });
  const stops: (() => Promise<void>)[] = [];
  try {
    const { stack, jwtSecret } = await startEdge({ dataDir, log, signal });
    stops.push(() => stack.stop());
    const plan = await planWorld();
    const edge = await edgeSubject(stack, jwtSecret, plan);
    const cacheFolder = join(rootFolder, ".cache", "bench-peer");
    const peers: Subject[] = [];
    for (const order of ["emit-first", "ack-first"] as const) {
      const peer = await peerSubject({ databaseUrl: stack.databaseUrl, jwtSecret, plan, cacheFolder, order });
      stops.push(() => peer.stop());
      peers.push(peer);
    }
    const record = new Measurements();
    const bench: Bench = {
      subjects: [edge, ...peers.slice(0, 1)],
      variants: peers.slice(1),
      fleet,
      record,
      postmasterPid: await postmasterPid(stack.databaseUrl),
      rounds,
      log,
      signal,
    };
    for (const scenario of chosen) await scenario(bench);
    return { record, subjects: [edge, ...peers] };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    fleet.stop();
    // The edge holds the peers' database: it goes last.
    for (const stop of stops.toReversed()) await stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

await runCommand(async (signal) => {
  const chosen = chosenScenarios(process.argv.slice(2));
  if (process.platform !== "linux") throw new OperatorError("The benchmark reads CPU times from /proc: it needs Linux");
  const startedMs = performance.now();
  const log = (line: string): void => {
    console.error(`${((performance.now() - startedMs) / 1_000).toFixed(0).padStart(4)} s  ${line}`);
  };
  const machine = machineFacts();
  const { record, subjects } = await measure(chosen, log, signal);
  const targets = checkTargets(record);
  const names = subjects.map(({ name }) => name);
  console.log(`${describeMachine(machine)}\n\n${table(record, names, targets)}`);
  log(`written to ${writeResults(record, targets, machine, new Date())}`);
  return record.total(metrics.lost) + record.total(metrics.doubled) > 0 ? 1 : 0;
});
